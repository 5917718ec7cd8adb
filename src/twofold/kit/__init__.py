"""What connectors are made of: public, documented, and versioned semantically."""
