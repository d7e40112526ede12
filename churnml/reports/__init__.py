"""What people read: lists of customers, reasons as sentences, in English and Chinese."""
