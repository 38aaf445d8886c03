"""What is true about orders, markets, costs and risk. Pure: no clock, no chance, no outside."""
