/*
 * image.h - pictures as PNG files
 *
 * By libpng's simplified interface, which returns errors and never jumps.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include "tensor/base.h"

enum {
    IMAGE_ERROR = 320,    /* bytes of a message */
    IMAGE_MOST = 1 << 26, /* pixels that are read, or written */
};

/*
 * Writes pixels[height, width], 0 black to 255 white, or with colour pixels[height, width, 3], red,
 * green and blue, to a temporary file beside `path`, and renames it; the same pixels give the same
 * bytes. On failure false, a message, and nothing new is there.
 */
bool image_save(const char *path, int64_t width, int64_t height, bool has_colour,
                const uint8_t *pixels, char error[IMAGE_ERROR]);

/* the size of the picture in the file; refuses one of more than IMAGE_MOST pixels */
bool image_size(const char *path, int64_t *width, int64_t *height, char error[IMAGE_ERROR]);

/*
 * pixels[height, width] of a file whose image_size() was this, colours made grey, or with in_colour
 * pixels[height, width, 3], grey made colours; the values are those of the file, whatever light it
 * says they mean, and those of 16 bits divided by 257
 */
bool image_load(const char *path, int64_t width, int64_t height, bool in_colour, uint8_t *pixels,
                char error[IMAGE_ERROR]);

#endif
