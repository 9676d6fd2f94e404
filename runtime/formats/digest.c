/*
 * digest.c - SHA-256 of bytes that pass by
 *
 * The algorithm is libmd's [FIPS180-4]; only the conversion to text is ours.
 */
#include "formats/digest.h"

void digest_start(Digest *digest)
{
    SHA256_Init(&digest->context);
}

void digest_add(Digest *digest, const void *bytes, size_t size)
{
    SHA256_Update(&digest->context, bytes, size);
}

void digest_finish(Digest *digest, char text[DIGEST_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t hash[SHA256_DIGEST_LENGTH];

    SHA256_Final(hash, &digest->context);
    for (size_t i = 0; i < COUNT_OF(hash); i++) {
        text[2 * i] = digits[hash[i] >> 4];
        text[2 * i + 1] = digits[hash[i] & 15];
    }
    text[2 * COUNT_OF(hash)] = '\0';
}
