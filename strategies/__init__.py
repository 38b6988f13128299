"""Trading strategies that come with the kernel."""
