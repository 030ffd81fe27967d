"""What each venue understands, answers and tells: one file a venue, pure, text in and text out."""
