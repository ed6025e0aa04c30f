"""MobileNet V1 from a folder of images to a label on any device.

Importing this package reaches neither torch nor Pillow; each stage is a subpackage
(see docs/index.md), imported when it is used.
"""

__version__ = "0.1.0"
