/*
 * encoding.c - elements as data files hold them; see encoding.h
 */
#include <string.h>

#include "formats/encoding.h"

#define ROW(constant, width, dtype)                                                                \
    [constant] = {#constant + sizeof("ENCODING_") - 1, width, dtype},
const EncodingInfo encoding_info[ENCODING_COUNT] = {ENCODINGS(ROW)};
#undef ROW

Encoding encoding_find(const char *name)
{
    int found = 0;

    while (found < ENCODING_COUNT && strcmp(encoding_info[found].name, name) != 0)
        found++;
    return (Encoding)found;
}

static const bool host_is_big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

/* the bits of one element; `width` is a constant wherever this is called */
static inline uint64_t load(const unsigned char *from, int width, bool is_swapped)
{
    uint16_t two;
    uint32_t four;
    uint64_t eight;

    switch (width) {
    case 1:
        return *from;
    case 2:
        memcpy(&two, from, sizeof(two));
        return is_swapped ? __builtin_bswap16(two) : two;
    case 4:
        memcpy(&four, from, sizeof(four));
        return is_swapped ? __builtin_bswap32(four) : four;
    default:
        memcpy(&eight, from, sizeof(eight));
        return is_swapped ? __builtin_bswap64(eight) : eight;
    }
}

/* IEEE binary16 (1, 5 and 10 bits) as the bits of a binary32 (1, 8 and 23) */
static uint32_t widen_half(uint64_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, fraction = (uint32_t)(half & 0x3ff);
    int exponent = (int)(half >> 10 & 0x1f);

    if (exponent == 0x1f)
        return sign | 0x7f800000 | fraction << 13;
    if (exponent == 0 && fraction == 0)
        return sign;
    if (exponent == 0) { /* subnormal: becomes normal */
        int shift = __builtin_clz(fraction) - 21;
        fraction = fraction << shift & 0x3ff;
        exponent = 1 - shift;
    }
    return sign | (uint32_t)(exponent + 112) << 23 | fraction << 13;
}

/*
 * to[count] = from[count] as they stand in the file. `from` is `to` where both are equally wide:
 * each element is then read before it is overwritten.
 */
static Reason convert(Encoding encoding, bool is_swapped, const unsigned char *from, char *to,
                      int64_t count)
{
    int64_t *integers = (void *)to;
    uint32_t bits;
    uint64_t wide, highest = 0;

    switch (encoding) {
    case ENCODING_BOOL:
        for (int64_t i = 0; i < count; i++)
            to[i] = from[i] != 0;
        break;
    case ENCODING_I8:
        for (int64_t i = 0; i < count; i++)
            integers[i] = (int8_t)from[i];
        break;
    case ENCODING_U16:
        for (int64_t i = 0; i < count; i++)
            integers[i] = (int64_t)load(from + 2 * i, 2, is_swapped);
        break;
    case ENCODING_I16:
        for (int64_t i = 0; i < count; i++)
            integers[i] = (int16_t)load(from + 2 * i, 2, is_swapped);
        break;
    case ENCODING_U32:
        for (int64_t i = 0; i < count; i++)
            integers[i] = (int64_t)load(from + 4 * i, 4, is_swapped);
        break;
    case ENCODING_F16:
        for (int64_t i = 0; i < count; i++) {
            bits = widen_half(load(from + 2 * i, 2, is_swapped));
            memcpy(to + 4 * i, &bits, sizeof(bits));
        }
        break;
    case ENCODING_BF16:
        for (int64_t i = 0; i < count; i++) {
            bits = (uint32_t)load(from + 2 * i, 2, is_swapped) << 16;
            memcpy(to + 4 * i, &bits, sizeof(bits));
        }
        break;
    case ENCODING_I32:
    case ENCODING_F32:
        for (int64_t i = 0; is_swapped && i < count; i++) {
            bits = (uint32_t)load(from + 4 * i, 4, true);
            memcpy(to + 4 * i, &bits, sizeof(bits));
        }
        break;
    case ENCODING_U64:
    case ENCODING_I64:
    case ENCODING_F64:
        for (int64_t i = 0; (is_swapped || encoding == ENCODING_U64) && i < count; i++) {
            wide = load(from + 8 * i, 8, is_swapped);
            highest |= wide;
            memcpy(to + 8 * i, &wide, sizeof(wide));
        }
        if (encoding == ENCODING_U64 && highest >> 63 != 0)
            return "holds a number above 2^63 - 1, which int64 cannot";
        break;
    default: /* ENCODING_U8 */
        break;
    }
    return NULL;
}

Reason encoding_read(GzipReader *source, Encoding encoding, bool is_big_endian, int64_t count,
                     void *to, int64_t *got)
{
    enum { PIECE = 4096, LARGE_PIECE = 1 << 20 };
    unsigned char piece[PIECE];
    const EncodingInfo *info = &encoding_info[encoding];
    int64_t size = dtype_size(info->dtype);
    bool in_place = info->width == size, is_swapped = is_big_endian != host_is_big_endian;
    char *out = to;
    size_t n;

    *got = 0;
    for (int64_t done = 0, part; done < count; done += part) {
        part = size_min(count - done, (in_place ? LARGE_PIECE : PIECE) / info->width);
        unsigned char *raw = piece;
        if (in_place)
            raw = (unsigned char *)out;
        size_t wanted = (size_t)(part * info->width);
        Reason reason = gzip_read(source, raw, wanted, &n);
        *got += (int64_t)n;
        if (reason != NULL || n < wanted)
            return reason;
        if ((reason = convert(encoding, is_swapped, raw, out, part)) != NULL)
            return reason;
        out += part * size;
    }
    return NULL;
}
