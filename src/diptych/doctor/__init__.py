"""``diptych doctor``: what this machine offers and what is installed.

Reads, measures and prints; changes nothing, opens no network connection and prints no secret (of a token it says only
whether it is set). Package versions come from metadata; only the device check imports anything, namely torch.
"""
