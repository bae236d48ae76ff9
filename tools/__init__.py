"""Commands for those who work on Zenith itself."""
