"""Records into records that may be kept: masked, and encrypted where asked. Pure."""
