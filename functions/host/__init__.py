"""What being hosted means, once: one function per operation, errors to problem+json, who is calling, retry or done."""
