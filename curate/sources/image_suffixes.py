"""Suffixes of pictures, by which members of a tar are told from what is beside them; what they are, their bytes say."""

# Of formats that the decoder reads, every name that programs give them; img and image are what some call any of them.
# fmt: off
READ = frozenset({
    "jpg", "jpeg", "jpe", "jfif", "mpo", "png", "apng", "webp", "gif", "bmp", "dib", "tif", "tiff", "avif", "avifs",
    "heic", "heics", "heif", "heifs", "hif", "jp2", "j2k", "j2c", "jpc", "jpf", "jpx", "pbm", "pgm", "ppm", "pnm",
    "img", "image",
})
# Of formats that it does not read: their rows say so. Where a row has one of each, as photo.dng and photo.jpg, the
# other is its picture.
UNREAD = frozenset({
    "jxl", "svg", "svgz", "psd", "tga", "ico", "cur", "icns", "dds", "exr", "hdr", "pfm", "qoi", "pcx", "xbm", "xpm",
    "wmf", "emf", "jxr", "dng", "cr2", "cr3", "nef", "arw", "orf", "rw2", "raf",
})
# fmt: on
IMAGE_SUFFIXES = READ | UNREAD
