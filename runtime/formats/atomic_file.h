/*
 * atomic_file.h - a file that is written whole or not at all
 *
 * What is written goes to a temporary file in the same folder; atomic_file_end puts it in the place
 * of the old one once it is on the disk. A symbolic link stays, and what it leads to is written. Killed at any moment, the path holds the old content or
 * the new; the temporary file that is then left over goes with the next write.
 */
#ifndef ATOMIC_FILE_H
#define ATOMIC_FILE_H

#include <limits.h>
#include <stdio.h>

#include "tensor/base.h"

typedef struct {
    FILE *file;          /* to be written to */
    char path[PATH_MAX]; /* where it goes, all links followed */
    int error;           /* the errno of the first write that failed, or 0 */
    char temporary[PATH_MAX];
} AtomicFile;

/* Opens the temporary file. Nothing is left open after a refusal:
 * a path that is there must be a regular file. */
Reason atomic_file_begin(AtomicFile *output, const char *path);

/* Ends the writing. With reason NULL the new file takes its place, else it is removed; returns the
 * reason, or why the new file could not be finished. */
Reason atomic_file_end(AtomicFile *output, Reason reason);

/* Writes bytes; false, now and ever after, when the system refuses,
 * which atomic_file_end explains. */
bool atomic_file_write(AtomicFile *output, const void *bytes, size_t size);

#endif
