/*
 * picture.h - grey pictures as PNG files (layer 3)
 *
 * By libpng's simplified interface, which returns errors and never jumps.
 */
#ifndef PICTURE_H
#define PICTURE_H

#include "base.h"

enum {
    PICTURE_ERROR = 128,    /* bytes of a message */
    PICTURE_MOST = 1 << 26, /* pixels that are read */
};

/*
 * Writes pixels[height, width], 0 black to 255 white, to a temporary file beside `path`, and
 * renames it; the same pixels give the same bytes. On failure false, a message, and nothing new is
 * there.
 */
bool picture_save(const char *path, int64_t width, int64_t height, const uint8_t *pixels,
                  char error[PICTURE_ERROR]);

/* the size of the picture in the file; refuses one of more than PICTURE_MOST pixels */
bool picture_size(const char *path, int64_t *width, int64_t *height, char error[PICTURE_ERROR]);

/* pixels[height, width] of a file whose picture_size() was this, colours made grey */
bool picture_load(const char *path, int64_t width, int64_t height, uint8_t *pixels,
                  char error[PICTURE_ERROR]);

#endif
