"""The embedded world: captioned scenes with known truth, a small web that serves them, and the demo command.

It needs no network and no model hub. ``scenes`` draws a scene from a seed, ``captions`` puts it into words, ``drawing``
makes its pixels, ``truth`` says what is to be seen where, ``web`` serves thousands of them with the faults of the real
web. Nothing is imported here: ``demo.cli`` must load without numpy.
"""
