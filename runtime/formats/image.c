/*
 * image.c - grey pictures as PNG files; see image.h
 */
#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <string.h>

#include "formats/atomic_file.h"
#include "formats/image.h"

static bool fail(char error[IMAGE_ERROR], const char *message)
{
    snprintf(error, IMAGE_ERROR, "%s", message);
    return false;
}

static png_image start(void)
{
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    return image;
}

bool image_save(const char *path, int64_t width, int64_t height, const uint8_t *pixels,
                char error[IMAGE_ERROR])
{
    AtomicFile output;
    png_image image = start();
    image.width = (png_uint_32)width;
    image.height = (png_uint_32)height;
    image.format = PNG_FORMAT_GRAY;
    Reason reason = atomic_file_begin(&output, path);
    if (reason == NULL) {
        bool written = png_image_write_to_stdio(&image, output.file, 0, pixels, 0, NULL);
        reason = atomic_file_end(&output, written ? NULL : image.message);
    }
    return reason == NULL || fail(error, reason);
}

/* opens the file and reads its header; after success both must be let go */
static bool begin(const char *path, FILE **file, png_image *image, char error[IMAGE_ERROR])
{
    *file = fopen(path, "rb");
    if (*file == NULL)
        return fail(error, strerror(errno));
    *image = start();
    bool good = png_image_begin_read_from_stdio(image, *file);
    if (!good)
        fail(error, image->message);
    else if ((int64_t)image->width * (int64_t)image->height > IMAGE_MOST)
        good = fail(error, "the picture is too large");
    if (!good) {
        png_image_free(image);
        fclose(*file);
    }
    return good;
}

bool image_size(const char *path, int64_t *width, int64_t *height, char error[IMAGE_ERROR])
{
    FILE *file;
    png_image image;
    if (!begin(path, &file, &image, error))
        return false;
    *width = image.width;
    *height = image.height;
    png_image_free(&image);
    fclose(file);
    return true;
}

bool image_load(const char *path, int64_t width, int64_t height, uint8_t *pixels,
                char error[IMAGE_ERROR])
{
    FILE *file;
    png_image image;
    if (!begin(path, &file, &image, error))
        return false;
    bool good = image.width == width && image.height == height;
    if (!good)
        fail(error, "the file has changed");
    image.format = PNG_FORMAT_GRAY;
    const png_color black = {0, 0, 0}; /* behind what is transparent */
    if (good && !png_image_finish_read(&image, &black, pixels, 0, NULL))
        good = fail(error, image.message);
    png_image_free(&image);
    fclose(file);
    return good;
}
