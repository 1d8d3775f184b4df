"""The page: `report.html`, made of what the cost report is made of, and of what is drawn of each file."""
