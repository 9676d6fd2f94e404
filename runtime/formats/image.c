/*
 * image.c - pictures as PNG files; see image.h
 */
#include <errno.h>
#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/atomic_file.h"
#include "formats/content.h"
#include "formats/image.h"
#include "tensor/interrupt.h"

static const Reason too_large = "the picture is too large",
                    no_memory = "not enough memory for the picture";

static bool fail(char error[IMAGE_ERROR], const char *message)
{
    snprintf(error, IMAGE_ERROR, "%s", message);
    return false;
}

/* why libpng refused; where memory is out, it says this or that */
static Reason png_reason(const png_image *image)
{
    return errno == ENOMEM ? no_memory : image->message;
}

static png_image start(void)
{
    png_image image;
    errno = 0;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    return image;
}

bool image_save(const char *path, int64_t width, int64_t height, bool has_colour,
                const uint8_t *pixels, char error[IMAGE_ERROR])
{
    AtomicFile output;
    png_image image = start();
    image.width = (png_uint_32)width;
    image.height = (png_uint_32)height;
    image.format = has_colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    if (width * height > IMAGE_MOST)
        return fail(error, too_large);
    Reason reason = atomic_file_begin(&output, path);
    if (reason == NULL) {
        bool written = png_image_write_to_stdio(&image, output.file, 0, pixels, 0, NULL);
        bool is_refused = ferror(output.file) != 0; /* of which libpng says no more than that */
        reason = atomic_file_end(&output, written      ? NULL
                                          : is_refused ? strerror(errno)
                                                       : png_reason(&image));
    }
    return reason == NULL || fail(error, reason);
}

/* *bytes = the whole file, or the start of one that is no PNG file, to be freed also after a Reason;
 * returns the Reason */
static Reason read_file(const char *path, unsigned char **bytes, size_t *size)
{
    enum { FIRST = 1 << 16, MOST = 1 << 30, SIGNATURE = 8 };
    size_t capacity = 0, got;
    Reason reason = NULL;
    FILE *file = fopen(path, "rbe");

    *bytes = NULL;
    *size = 0;
    if (file == NULL)
        return strerror(errno);
    do {
        if (*size == MOST)
            reason = too_large;
        if (interrupt_wanted())
            reason = "interrupted";
        if (reason != NULL || (*size >= SIGNATURE && png_sig_cmp(*bytes, 0, SIGNATURE) != 0))
            break;
        if (*size == capacity) {
            capacity = capacity == 0 ? FIRST : 2 * capacity;
            unsigned char *more = realloc(*bytes, capacity);
            if (more == NULL) {
                reason = "not enough memory for the file";
                break;
            }
            *bytes = more;
        }
        got = fread(*bytes + *size, 1, capacity - *size, file);
        *size += got;
    } while (got > 0);
    if (reason == NULL && ferror(file))
        reason = strerror(errno);
    fclose(file);
    return reason;
}

/*
 * Takes out the chunks that say what light the values mean, of which libpng would make other
 * values; returns the size that is left. What is no chunk stays, for libpng to refuse.
 */
static size_t drop_colour_space(unsigned char *bytes, size_t size)
{
    enum { SIGNATURE = 8, AROUND = 12 }; /* length, type and check sum */
    static const char *const dropped[] = {"gAMA", "sRGB", "iCCP", "cHRM"};
    size_t from = SIGNATURE, to = SIGNATURE;

    while (from < size && size - from >= AROUND) {
        const unsigned char *p = bytes + from;
        uint32_t length = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
        bool is_dropped = false;
        if (length > size - from - AROUND)
            break;
        for (size_t i = 0; i < COUNT_OF(dropped); i++)
            is_dropped |= memcmp(p + 4, dropped[i], 4) == 0;
        if (!is_dropped) {
            memmove(bytes + to, p, length + AROUND);
            to += length + AROUND;
        }
        from += length + AROUND;
    }
    if (from < size) {
        memmove(bytes + to, bytes + from, size - from);
        to += size - from;
    }
    return size < SIGNATURE ? size : to;
}

/* reads the file and its header; after success both must be let go */
static bool begin(const char *path, unsigned char **bytes, png_image *image,
                  char error[IMAGE_ERROR])
{
    size_t size;
    Refusal refusal;
    Reason reason = read_file(path, bytes, &size);

    *image = start();
    if (reason == NULL &&
        !png_image_begin_read_from_memory(image, *bytes, drop_colour_space(*bytes, size)))
        reason = content_refuse_bytes(
            &refusal, "image.load", size > 0 ? png_reason(image) : "Not a PNG file", *bytes, size);
    if (reason == NULL && (int64_t)image->width * (int64_t)image->height > IMAGE_MOST)
        reason = too_large;
    if (reason == NULL)
        return true;
    fail(error, reason);
    png_image_free(image);
    free(*bytes);
    return false;
}

bool image_size(const char *path, int64_t *width, int64_t *height, char error[IMAGE_ERROR])
{
    unsigned char *bytes;
    png_image image;
    if (!begin(path, &bytes, &image, error))
        return false;
    *width = image.width;
    *height = image.height;
    png_image_free(&image);
    free(bytes);
    return true;
}

/* ---- 16 bits ---- */

static double to_light(double x) /* [IEC61966-2-1], as libpng for 8 bits */
{
    return x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4);
}

static double from_light(double x)
{
    return x <= 0.0031308 ? x * 12.92 : 1.055 * pow(x, 1 / 2.4) - 0.055;
}

/* One level of 16 bits, which was multiplied by its alpha, or the mean of three by their weights in
 * what is seen, as 8 bits before black. */
static uint8_t level_of(const uint16_t level[3], uint16_t alpha)
{
    enum { MOST = UINT16_MAX, PER_STEP = 257 };
    if (alpha == 0)
        return 0;
    if (alpha == MOST && level[0] == level[1] && level[1] == level[2])
        return (uint8_t)((level[0] + PER_STEP / 2) / PER_STEP);
    double light = 0.2126 * to_light(fmin(level[0], alpha) / alpha) +
                   0.7152 * to_light(fmin(level[1], alpha) / alpha) +
                   0.0722 * to_light(fmin(level[2], alpha) / alpha);
    return (uint8_t)lround(from_light(light * alpha / MOST) * UINT8_MAX);
}

/* one pixel of 16 bits a channel as grey, or as red, green and blue */
static void convert_pixel(const uint16_t *pixel, bool has_colour, bool has_alpha, bool in_colour,
                          uint8_t *out)
{
    uint16_t r = pixel[0], g = has_colour ? pixel[1] : r, b = has_colour ? pixel[2] : r;
    uint16_t alpha = has_alpha ? pixel[has_colour ? 3 : 1] : UINT16_MAX;
    if (!in_colour) {
        *out = level_of((uint16_t[]){r, g, b}, alpha);
        return;
    }
    out[0] = level_of((uint16_t[]){r, r, r}, alpha);
    out[1] = level_of((uint16_t[]){g, g, g}, alpha);
    out[2] = level_of((uint16_t[]){b, b, b}, alpha);
}

/*
 * Reads the 16 bits as they are and makes 8 of them here: libpng's simplified interface mixes up
 * the rows of an interlaced picture when it does so.
 */
static Reason finish_wide(png_image *image, bool in_colour, uint8_t *pixels)
{
    bool has_colour = image->format & PNG_FORMAT_FLAG_COLOR;
    bool has_alpha = image->format & PNG_FORMAT_FLAG_ALPHA;
    size_t channels = PNG_IMAGE_PIXEL_CHANNELS(image->format);
    size_t count = (size_t)image->width * image->height;
    uint16_t *wide = malloc(count * channels * sizeof(*wide));

    if (wide == NULL) {
        png_image_free(image);
        return no_memory;
    }
    bool good = png_image_finish_read(image, NULL, wide, 0, NULL);
    for (size_t i = 0; good && i < count; i++)
        convert_pixel(wide + i * channels, has_colour, has_alpha, in_colour,
                      pixels + i * (in_colour ? 3 : 1));
    free(wide);
    return good ? NULL : png_reason(image);
}

static Reason finish(png_image *image, bool in_colour, uint8_t *pixels)
{
    static const png_color black = {0, 0, 0}; /* behind what is transparent */

    if (image->format & PNG_FORMAT_FLAG_LINEAR) /* what libpng takes 16 bits for */
        return finish_wide(image, in_colour, pixels);
    image->format = in_colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    return png_image_finish_read(image, &black, pixels, 0, NULL) ? NULL : png_reason(image);
}

bool image_load(const char *path, int64_t width, int64_t height, bool in_colour, uint8_t *pixels,
                char error[IMAGE_ERROR])
{
    unsigned char *bytes;
    png_image image;
    if (!begin(path, &bytes, &image, error))
        return false;
    bool is_same = image.width == width && image.height == height;
    Reason reason = is_same ? finish(&image, in_colour, pixels) : "the file has changed";
    if (reason != NULL)
        fail(error, reason);
    png_image_free(&image);
    free(bytes);
    return reason == NULL;
}
