"""What the figures are held against; each runs in a process of its own."""
