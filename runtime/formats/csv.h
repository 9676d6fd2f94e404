/*
 * csv.h - numbers in text files: comma-separated values
 *
 * Rows are lines, fields stand between separators, in quotation marks where they hold separators or
 * newlines [RFC4180]. Blanks around a field, blank lines, a carriage return before a newline and a
 * byte order mark are passed over. All rows must have as many fields. The text is read once, from
 * front to back, so it may come from a pipe or be compressed.
 */
#ifndef CSV_H
#define CSV_H

#include "formats/atomic_file.h"
#include "formats/gzip.h"
#include "formats/refusal.h"
#include "tensor/dtype.h"

/* the longest field that is read, and name that is written; others may be passed over */
enum { CSV_FIELD = 1 << 12 };

typedef struct {
    GzipReader source;
    char separator; /* ' ' stands for any run of blanks */
    bool missing_is_nan;
    DType dtype;
    const int64_t *wanted; /* wanted[0..wanted_count-1]: which fields of a row are, from 1, in
                              ascending order; NULL: all */
    int64_t wanted_count, wanted_done; /* of which so many came in this row */

    int64_t line, column; /* of the field that was read last, from 1 */
    int64_t width;        /* fields a row, 0 while not known */
    int64_t rows;         /* complete ones */

    char field[CSV_FIELD + 1];
    size_t length; /* may be larger than CSV_FIELD: the rest was passed over */
    bool is_quoted, ends_row, is_over;

    Refusal refusal;
    size_t at, filled;
    int64_t next_line;
    unsigned char buffer[1 << 14];
} CsvReader;

/* why a name of more than CSV_FIELD bytes is neither read nor written */
extern const Reason csv_long_name;

/* Passes over `skip` lines. The descriptor and the reader, zero but for its options, are under the
 * rules of gzip_open. A Reason may be in the reader. */
Reason csv_open(CsvReader *reader, int descriptor, int64_t skip);

/*
 * Reads the next field: field[length]. With is_over there was none left; ends_row tells the last of
 * its row. Counts rows and their fields.
 */
Reason csv_field(CsvReader *reader);

/* elements[*count] = the next wanted numbers; *count < capacity only where the text ends */
Reason csv_numbers(CsvReader *reader, void *elements, int64_t capacity, int64_t *count);

/*
 * Writes elements[rows, columns] with as many digits as bring every number back, under a line of
 * names[columns] unless that is NULL.
 */
Reason csv_save(const char *path, DType dtype, int64_t rows, int64_t columns, const void *elements,
                char separator, const char *const *names);

#endif
