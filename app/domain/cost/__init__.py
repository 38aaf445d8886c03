"""What an order is expected to cost before it trades, and what its outcomes teach about that."""
