"""What the black-box tests share: the server process, the raw protocol, batches, tables."""
