"""Makes every part of the daemon from the settings, and joins them."""
