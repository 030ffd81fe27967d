"""What each venue speaks: one file a venue, constants and pure functions. `rxws.venue.Venue` says what is in each.

Adding a venue is adding a file: nothing else names it.
"""

__all__: list[str] = []
