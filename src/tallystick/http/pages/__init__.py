"""What the pages that people see share: how they are drawn, worded, guarded and answered."""
