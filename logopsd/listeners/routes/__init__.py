"""What is served at which path: each module makes the routes of one interface."""
