/*
 * digest.h - SHA-256 of bytes that pass by
 *
 * A thin face over libmd: start, add any number of pieces, finish. The result is lower-case
 * hexadecimal text, as sha256sum prints it.
 */
#ifndef DIGEST_H
#define DIGEST_H

#include <sha256.h>

#include "tensor/base.h"

enum { DIGEST_TEXT = 65 }; /* 64 digits and the final zero */

typedef struct {
    SHA256_CTX context;
} Digest;

void digest_start(Digest *digest);
void digest_add(Digest *digest, const void *bytes, size_t size);

/* text = the digest of everything added; then it must be started anew */
void digest_finish(Digest *digest, char text[DIGEST_TEXT]);

#endif
