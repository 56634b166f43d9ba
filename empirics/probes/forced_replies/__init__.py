"""Look-ahead in the game of forced replies: what is known of the third move before the first."""
