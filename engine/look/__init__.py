"""What a network looks like from outside: its layers with their costs and receptive fields, drawn and compared."""
