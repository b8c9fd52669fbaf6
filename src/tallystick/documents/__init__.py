"""Documents: the PDF of an invoice and of a credit note, from the value that it shows."""
