/*
 * content.h - what a file is, by its first bytes
 *
 * One table for all readers: who gives a reader another kind of file learns what it is, and which
 * function reads it.
 */
#ifndef CONTENT_H
#define CONTENT_H

#include "formats/gzip.h"
#include "formats/refusal.h"

/*
 * Adds to the Reason for which `reader`, a function of wrun, refuses a file that begins with
 * bytes[size] what the file is, where that is known and not the reader's own kind. It may stand in
 * the refusal.
 */
Reason content_refuse_bytes(Refusal *refusal, const char *reader, Reason reason,
                            const unsigned char *bytes, size_t size);

/* the same for a file of which only the start was read */
Reason content_refuse(Refusal *refusal, const char *reader, Reason reason, GzipReader *source);

/* Are these the first bytes of a text? */
bool content_is_text(const unsigned char *bytes, size_t size);

/* Is it what torch.save writes, a ZIP archive too? */
bool content_is_torch(const unsigned char *bytes, size_t size);

/* "torch" or "torch7" for what PyTorch and Torch7 write, else NULL */
const char *content_of_tensors(const unsigned char *bytes, size_t size);

#endif
