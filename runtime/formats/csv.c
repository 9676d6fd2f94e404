/*
 * csv.c - numbers in text files; see csv.h
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formats/content.h"
#include "formats/csv.h"
#include "formats/number.h"

const Reason csv_long_name = "a name in the header is too long";

/* ---- characters ---- */

enum { END = -1 };

/* *c = the next byte, which stays where it is, or END */
static Reason look(CsvReader *reader, int *c)
{
    if (reader->at == reader->filled) {
        Reason reason =
            gzip_read(&reader->source, reader->buffer, sizeof(reader->buffer), &reader->filled);
        reader->at = 0;
        if (reason != NULL)
            return reason;
        if (reader->filled == 0) {
            *c = END;
            return NULL;
        }
    }
    *c = reader->buffer[reader->at];
    return NULL;
}

static void pass(CsvReader *reader, int c)
{
    reader->at++;
    reader->next_line += c == '\n';
}

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool is_separator(const CsvReader *reader, int c)
{
    return reader->separator == ' ' ? c == ' ' || c == '\t' : c == (unsigned char)reader->separator;
}

/* passes over blanks that are no separators; *c = what stands behind them */
static Reason skip_blanks(CsvReader *reader, int *c, bool over_separators)
{
    Reason reason;

    while ((reason = look(reader, c)) == NULL && *c != END && is_blank(*c) &&
           (over_separators || !is_separator(reader, *c)))
        pass(reader, *c);
    return reason;
}

static void keep(CsvReader *reader, int c)
{
    if (reader->length < CSV_FIELD)
        reader->field[reader->length] = (char)c;
    reader->length++;
}

Reason csv_open(CsvReader *reader, int descriptor, int64_t skip)
{
    static const char mark[] = "\xEF\xBB\xBF", no_text[] = "not a text";
    Reason reason = gzip_open(&reader->source, descriptor);
    int c;

    reader->next_line = 1;
    reader->ends_row = true;
    if (reason == NULL)
        reason = look(reader, &c);
    if (reason == NULL && !content_is_text(reader->source.head, reader->source.head_size)) {
        reason = content_refuse(&reader->refusal, "data.csv", no_text, &reader->source);
        if (reason ==
            no_text) /* of no known kind: columns that are passed over may hold anything */
            reason = NULL;
    }
    if (reason == NULL && reader->filled >= 3 && memcmp(reader->buffer, mark, 3) == 0)
        reader->at = 3;
    for (int64_t lines = 0; reason == NULL && lines < skip;) {
        reason = look(reader, &c);
        if (reason != NULL || c == END)
            break;
        pass(reader, c);
        lines += c == '\n';
    }
    return reason;
}

/* ---- fields ---- */

/* after the opening mark, up to and over the closing one */
static Reason read_quoted(CsvReader *reader)
{
    Reason reason;
    int c;

    for (;;) {
        if ((reason = look(reader, &c)) != NULL)
            return reason;
        if (c == END)
            return refuse(&reader->refusal,
                          "line %lld, column %lld: the quotation that begins here does not end",
                          (long long)reader->line, (long long)reader->column);
        pass(reader, c);
        if (c == '"') { /* a mark, when it is there twice */
            if ((reason = look(reader, &c)) != NULL)
                return reason;
            if (c != '"')
                return NULL;
            pass(reader, c);
        }
        keep(reader, c);
    }
}

static Reason read_plain(CsvReader *reader)
{
    Reason reason;
    int c;

    while ((reason = look(reader, &c)) == NULL && c != END && c != '\n' &&
           !is_separator(reader, c)) {
        pass(reader, c);
        keep(reader, c);
    }
    while (reader->length > 0 && reader->length <= CSV_FIELD &&
           is_blank(reader->field[reader->length - 1]))
        reader->length--;
    return reason;
}

/* passes over what ends a field, and says what that was */
static Reason read_ending(CsvReader *reader)
{
    bool is_spaced = reader->separator == ' ';
    Reason reason;
    int c;

    if ((reason = skip_blanks(reader, &c, is_spaced)) != NULL)
        return reason;
    reader->ends_row = c == END || c == '\n';
    if (!reader->ends_row && !is_spaced && !is_separator(reader, c))
        return refuse(&reader->refusal, "line %lld, column %lld: text after a quotation mark",
                      (long long)reader->line, (long long)reader->column);
    if (c == '\n' || (!is_spaced && !reader->ends_row))
        pass(reader, c);
    return NULL;
}

/* counts the row that has ended */
static Reason count_row(CsvReader *reader)
{
    if (reader->width == 0)
        reader->width = reader->column;
    if (reader->column != reader->width)
        return refuse(&reader->refusal, "line %lld: expected %lld fields, as above, got %lld",
                      (long long)reader->line, (long long)reader->width, (long long)reader->column);
    int64_t last = reader->wanted_count > 0 ? reader->wanted[reader->wanted_count - 1] : 0;
    if (last > reader->width)
        return refuse(&reader->refusal, "line %lld: has %lld fields, so there is no column %lld",
                      (long long)reader->line, (long long)reader->width, (long long)last);
    reader->rows++;
    return NULL;
}

/* goes to the first field of the next line that is not blank */
static Reason begin_row(CsvReader *reader)
{
    Reason reason;
    int c;

    do {
        if ((reason = skip_blanks(reader, &c, reader->separator == ' ')) != NULL)
            return reason;
        if (c == '\n')
            pass(reader, c);
    } while (c == '\n');
    reader->column = 0;
    reader->is_over = c == END;
    return NULL;
}

Reason csv_field(CsvReader *reader)
{
    Reason reason;
    int c;

    if (reader->ends_row && ((reason = begin_row(reader)) != NULL || reader->is_over))
        return reason;
    if ((reason = skip_blanks(reader, &c, false)) != NULL)
        return reason;
    reader->column++;
    reader->line = reader->next_line;
    reader->length = 0;
    reader->is_quoted = c == '"';
    if (reader->is_quoted)
        pass(reader, c);
    if ((reason = reader->is_quoted ? read_quoted(reader) : read_plain(reader)) != NULL ||
        (reason = read_ending(reader)) != NULL)
        return reason;
    reader->field[reader->length < CSV_FIELD ? reader->length : CSV_FIELD] = '\0';
    return reader->ends_row ? count_row(reader) : NULL;
}

/* ---- numbers ---- */

static Reason refuse_field(CsvReader *reader, const char *expected)
{
    return refuse(&reader->refusal, "line %lld, column %lld: expected %s, got '%.40s'",
                  (long long)reader->line, (long long)reader->column, expected, reader->field);
}

static Reason store_float(CsvReader *reader, void *element)
{
    char *end;
    bool is_missing = reader->length == 0 && reader->missing_is_nan;

    if (reader->dtype == FLOAT32)
        *(float *)element = is_missing ? NAN : number_read_float(reader->field, &end);
    else
        *(double *)element = is_missing ? (double)NAN : number_read(reader->field, &end);
    if (is_missing)
        return NULL;
    /* strtod also takes hexadecimal numbers, and NaNs with a text in brackets */
    bool is_decimal = strpbrk(reader->field, "xX(") == NULL;
    return reader->length > 0 && is_decimal && end == reader->field + reader->length
               ? NULL
               : refuse_field(reader, "a number");
}

static Reason store_integer(CsvReader *reader, void *element)
{
    static const struct {
        long long least, most;
        const char *expected;
    } ranges[DTYPE_COUNT] = {
        [BOOL] = {0, 1, "0 or 1"},
        [UINT8] = {0, UINT8_MAX, "an integer from 0 to 255"},
        [INT32] = {INT32_MIN, INT32_MAX, "a 32-bit integer"},
        [INT64] = {INT64_MIN, INT64_MAX, "a 64-bit integer"},
    };
    char *end;

    errno = 0;
    long long value = strtoll(reader->field, &end, 10);
    if (reader->length == 0 || end != reader->field + reader->length || errno != 0 ||
        value < ranges[reader->dtype].least || value > ranges[reader->dtype].most)
        return refuse_field(reader, ranges[reader->dtype].expected);
    dtype_store(reader->dtype, element, (Scalar){CATEGORY_INTEGER, value, (double)value});
    return NULL;
}

static bool is_wanted(CsvReader *reader)
{
    if (reader->wanted == NULL)
        return true;
    if (reader->column == 1)
        reader->wanted_done = 0;
    bool found = reader->wanted_done < reader->wanted_count &&
                 reader->wanted[reader->wanted_done] == reader->column;
    reader->wanted_done += found;
    return found;
}

Reason csv_numbers(CsvReader *reader, void *elements, int64_t capacity, int64_t *count)
{
    int64_t size = dtype_size(reader->dtype);
    Reason reason;

    for (*count = 0; *count < capacity;) {
        if ((reason = csv_field(reader)) != NULL || reader->is_over)
            return reason;
        if (!is_wanted(reader))
            continue;
        char *element = (char *)elements + *count * size;
        if (reader->length > CSV_FIELD)
            reason = refuse_field(reader, "a number");
        else
            reason = dtype_is_float(reader->dtype) ? store_float(reader, element)
                                                   : store_integer(reader, element);
        if (reason != NULL)
            return reason;
        ++*count;
    }
    return NULL;
}

/* ---- writing ---- */

/* text = the number with the fewest digits that bring it back; its length */
static int format_number(DType dtype, const void *element, char text[NUMBER_TEXT])
{
    Scalar s = dtype_load(dtype, element);

    if (s.category != CATEGORY_FLOAT)
        return snprintf(text, NUMBER_TEXT, "%lld", (long long)s.i);
    if (isnan(s.d))
        return snprintf(text, NUMBER_TEXT, "nan");
    return number_write(s.d, dtype == FLOAT32, text);
}

/* in quotation marks where it would not be read back as it is */
static void write_name(AtomicFile *file, const char *name, char separator)
{
    size_t length = strlen(name);
    const char special[] = {separator, '"', '\n', '\r', '\t', ' ', '\0'};

    if (length > 0 && strpbrk(name, special) == NULL) {
        atomic_file_write(file, name, length);
        return;
    }
    atomic_file_write(file, "\"", 1);
    for (size_t i = 0; i < length; i++)
        atomic_file_write(file, name[i] == '"' ? "\"\"" : &name[i], name[i] == '"' ? 2 : 1);
    atomic_file_write(file, "\"", 1);
}

Reason csv_save(const char *path, DType dtype, int64_t rows, int64_t columns, const void *elements,
                char separator, const char *const *names)
{
    AtomicFile file;
    char text[NUMBER_TEXT];
    const char *element = elements;

    for (int64_t j = 0; names != NULL && j < columns; j++)
        if (strlen(names[j]) > CSV_FIELD)
            return csv_long_name;
    Reason reason = atomic_file_begin(&file, path);
    if (reason != NULL)
        return reason;
    for (int64_t j = 0; names != NULL && j < columns; j++) {
        write_name(&file, names[j], separator);
        atomic_file_write(&file, j + 1 < columns ? &separator : "\n", 1);
    }
    for (int64_t i = 0; i < rows * columns; i++, element += dtype_size(dtype)) {
        int length = format_number(dtype, element, text);
        text[length] = (i + 1) % columns != 0 ? separator : '\n';
        atomic_file_write(&file, text, (size_t)length + 1);
    }
    return atomic_file_end(&file, NULL);
}
