/*
 * sort.c - putting lines of elements in order, and finding indices in them; see sort.h
 *
 * A line becomes records of key and index. Short ones are sorted by insertion, long ones by the
 * digits of 8 bits, from the last to the first, of how far their keys lie above the least (both keep
 * the order of equals); a digit in which all agree costs nothing. Where only the first few are
 * wanted, or one of them, the digits from first to last find the key of the last wanted one, and
 * what lies beyond it is left out.
 */
#include <math.h>
#include <string.h>

#include "kernels/sort.h"
#include "tensor/interrupt.h"

enum {
    DIGITS = 256,
    SHORT = 48,         /* records that insertion sorts sooner */
    FEW = 8,            /* so many times what is wanted is worth passing by */
    ELEMENTS = 16384,   /* how many a piece of work has at least */
    MOST_PIECES = 16,   /* how many pieces there are at most, */
    SCRATCH = 64 << 20, /* and how many bytes of scratch they share, if one does not need more */
};

typedef struct {
    uint64_t key;
    int64_t index; /* from 0 */
} Record;

/* ---- keys ---- */

static uint64_t key_of_float(float x)
{
    uint32_t bits, sign = UINT32_C(1) << 31;
    if (isnan(x))
        return UINT32_MAX;
    x += 0.0F; /* -0 is 0 */
    memcpy(&bits, &x, sizeof bits);
    return bits & sign ? ~bits : bits | sign;
}

static uint64_t key_of_double(double x)
{
    uint64_t bits, sign = UINT64_C(1) << 63;
    if (isnan(x))
        return UINT64_MAX;
    x += 0.0;
    memcpy(&bits, &x, sizeof bits);
    return bits & sign ? ~bits : bits | sign;
}

static uint64_t key_at(DType dtype, const void *x, int64_t i)
{
    switch (dtype) {
    case FLOAT32:
        return key_of_float(((const float *)x)[i]);
    case FLOAT64:
        return key_of_double(((const double *)x)[i]);
    case INT32:
        return (uint32_t)((const int32_t *)x)[i] ^ UINT32_C(1) << 31;
    case INT64:
        return (uint64_t)((const int64_t *)x)[i] ^ UINT64_C(1) << 63;
    default:
        return ((const uint8_t *)x)[i];
    }
}

/* what turns the order of keys around, or 0 */
static uint64_t key_turn(const Sort *s)
{
    return s->descending ? UINT64_MAX >> (64 - 8 * dtype_size(s->dtype)) : 0;
}

/* between which keys all lie */
typedef struct {
    uint64_t least, most;
} Span;

static inline Span widen(Span span, uint64_t key)
{
    span.least = key < span.least ? key : span.least;
    span.most = key > span.most ? key : span.most;
    return span;
}

static inline Span load_keys_of(DType dtype, const Sort *s, int64_t first, Record *out)
{
    uint64_t turn = key_turn(s);
    Span span = {UINT64_MAX, 0};
    for (int64_t i = 0; i < s->along.n; i++) {
        out[i] = (Record){key_at(dtype, s->x, first + i * s->along.inner) ^ turn, i};
        span = widen(span, out[i].key);
    }
    return span;
}

static Span load_keys(const Sort *s, int64_t first, Record *out)
{
    switch (s->dtype) {
#define ROW(constant, type, name, category)                                                        \
    case constant:                                                                                 \
        return load_keys_of(constant, s, first, out);
        DTYPES(ROW)
#undef ROW
    default:
        return (Span){0, 0};
    }
}

static Span span_of(const Record *records, int64_t n)
{
    Span span = {UINT64_MAX, 0};
    for (int64_t i = 0; i < n; i++)
        span = widen(span, records[i].key);
    return span;
}

/* ---- order ---- */

/* puts a record among those of records[n] in order, behind its equals; the last makes room */
static inline void insert(Record *records, int64_t n, Record record)
{
    for (; n > 0 && records[n - 1].key > record.key; n--)
        records[n] = records[n - 1];
    records[n] = record;
}

static void sort_by_insertion(Record *records, int64_t n)
{
    for (int64_t i = 1; i < n; i++)
        insert(records, i, records[i]);
}

static int digit(uint64_t key, int d)
{
    return (int)(key >> (8 * d) & (DIGITS - 1));
}

/* how many digits the distances from the least key have */
static int count_digits(Span span)
{
    int digits = 0;
    while (digits < 8 && (span.most - span.least) >> (8 * digits) > 0)
        digits++;
    return digits;
}

/* sorts records[n]; returns where they are: there or in spare[n] */
static Record *sort_by_digits(Record *records, Record *spare, int64_t n, Span span)
{
    int64_t count[8][DIGITS] = {{0}};
    int digits = count_digits(span);
    for (int64_t i = 0; i < n; i++)
        for (int d = 0; d < digits; d++)
            count[d][digit(records[i].key - span.least, d)]++;
    for (int d = 0; d < digits; d++) {
        if (count[d][digit(records[0].key - span.least, d)] == n)
            continue;
        int64_t next[DIGITS], start = 0;
        for (int v = 0; v < DIGITS; v++) {
            next[v] = start;
            start += count[d][v];
        }
        for (int64_t i = 0; interrupt_allows(i, n); i++)
            spare[next[digit(records[i].key - span.least, d)]++] = records[i];
        if (interrupt_wanted())
            return records;
        Record *sorted = spare;
        spare = records;
        records = sorted;
    }
    return records;
}

/* what is looked for among n keys: the distances of records from the least, or `rest` of them */
typedef struct {
    const Record *records;
    uint64_t least, *rest;
    int64_t n, index; /* from 1, in order */
} Wanted;

/* Digit d of the wanted key; those that agree in it are the rest. Neighbours are counted apart, so
 * that those of one digit do not wait for each other. */
INLINED uint64_t find_digit(bool is_first, Wanted *w, int d)
{
    int64_t count[2][DIGITS] = {{0}}, n = w->n, kept = 0;
    const Record *records = w->records;
    uint64_t least = w->least, *rest = w->rest;
    int v = 0;
#define DISTANCE(i) (is_first ? records[i].key - least : rest[i])
    for (int64_t i = 0; i < n; i++)
        count[i & 1][digit(DISTANCE(i), d)]++;
    for (; count[0][v] + count[1][v] < w->index; v++)
        w->index -= count[0][v] + count[1][v];
    for (int64_t i = 0; i < n && d > 0; i++) {
        uint64_t distance = DISTANCE(i);
        rest[kept] = distance;
        kept += digit(distance, d) == v;
    }
#undef DISTANCE
    w->n = kept;
    return (uint64_t)v << (8 * d);
}

/* The key that stands at `index` (from 1) in order; *equal becomes its index among equal keys. The n
 * records behind are changed. */
static uint64_t find_key(Record *records, int64_t n, Span span, int64_t index, int64_t *equal)
{
    uint64_t key = span.least;
    Wanted w = {records, span.least, (uint64_t *)(void *)(records + n), n, index};
    int digits = count_digits(span);
    if (digits > 0)
        key += find_digit(true, &w, digits - 1);
    for (int d = digits - 2; d >= 0; d--)
        key += find_digit(false, &w, d);
    *equal = w.index;
    return key;
}

/* moves the `take` records that come first in order to the front, in the order they lie in; returns
 * the last one's key */
static uint64_t keep_first(Record *records, int64_t n, Span span, int64_t take)
{
    int64_t equals, kept = 0;
    uint64_t last = find_key(records, n, span, take, &equals);
    for (int64_t i = 0; kept < take; i++)
        if (records[i].key < last || (records[i].key == last && equals-- > 0))
            records[kept++] = records[i];
    return last;
}

/* are so few of a line wanted that most of it is passed by? */
static bool wants_few(const Sort *s)
{
    return !s->only_last && s->along.n > FEW * s->take + SHORT;
}

/* the records of a line that are looked at together */
static int64_t record_room(const Sort *s)
{
    return wants_few(s) ? 2 * s->take + SHORT : s->along.n;
}

/* The same of a line, of which few are wanted: once `take` are known, what is not before the last of
 * them is passed by. The first SHORT stay in order. */
static inline int64_t load_first_of(DType dtype, const Sort *s, int64_t first, Record *out)
{
    int64_t kept = 0, room = record_room(s);
    uint64_t turn = key_turn(s), last = UINT64_MAX;
    bool is_known = false, is_short = s->take <= SHORT;
    for (int64_t i = 0; i < s->along.n; i++) {
        uint64_t key = key_at(dtype, s->x, first + i * s->along.inner) ^ turn;
        if (key >= last && is_known)
            continue;
        if (is_short) {
            insert(out, kept - is_known, (Record){key, i});
            kept += !is_known;
            is_known = kept == s->take;
            last = out[kept - 1].key;
            continue;
        }
        out[kept++] = (Record){key, i};
        if (kept == room) {
            last = keep_first(out, kept, span_of(out, kept), s->take);
            kept = s->take;
            is_known = true;
        }
    }
    return kept;
}

static int64_t load_first(const Sort *s, int64_t first, Record *out)
{
    switch (s->dtype) {
#define ROW(constant, type, name, category)                                                        \
    case constant:                                                                                 \
        return load_first_of(constant, s, first, out);
        DTYPES(ROW)
#undef ROW
    default:
        return 0;
    }
}

/* the record that stands at `index` in order */
static const Record *find_record(Record *records, int64_t n, Span span, int64_t index)
{
    int64_t equal;
    uint64_t key = find_key(records, n, span, index, &equal);
    while (records->key != key || --equal > 0)
        records++;
    return records;
}

/* the wanted records of records[n], in order; they may lie in the n records behind */
static const Record *order(const Sort *s, Record *records, int64_t n, Span span)
{
    if (s->only_last)
        return find_record(records, n, span, s->take);
    if (s->take < n && n > SHORT) {
        keep_first(records, n, span, s->take);
        n = s->take;
    }
    if (n > SHORT)
        return sort_by_digits(records, records + n, n, span);
    sort_by_insertion(records, n);
    return records;
}

static void sort_line(const Sort *s, int64_t line, Record *records)
{
    int64_t inner = s->along.inner, size = dtype_size(s->dtype);
    int64_t wanted = s->only_last ? 1 : s->take;
    int64_t from = line / inner * s->along.n * inner + line % inner;
    int64_t to = line / inner * wanted * inner + line % inner;
    int64_t n = s->along.n;
    Span span;
    if (wants_few(s)) {
        n = load_first(s, from, records);
        span = span_of(records, n);
    } else {
        span = load_keys(s, from, records);
    }
    const Record *ordered = order(s, records, n, span);
    for (int64_t i = 0; interrupt_allows(i, wanted); i++, to += inner) {
        int64_t index = ordered[i].index;
        memcpy((char *)s->y + to * size, (const char *)s->x + (from + index * inner) * size,
               (size_t)size);
        s->indices[to] = index + 1;
    }
}

static int64_t count_lines(const Sort *s)
{
    return s->along.outer * s->along.inner;
}

static int64_t count_pieces(const Sort *s)
{
    int64_t n = s->along.n, worth = size_pieces(count_lines(s) * n, ELEMENTS);
    int64_t room = SCRATCH / (2 * (int64_t)sizeof(Record) * size_max(record_room(s), 1));
    int64_t most = size_min(MOST_PIECES, size_max(room, 1));
    return size_min(count_lines(s), size_min(worth, most));
}

static void sort_piece(void *context, int64_t piece)
{
    const Sort *s = context;
    int64_t lines = count_lines(s), pieces = count_pieces(s);
    Record *records = (Record *)s->scratch + 2 * record_room(s) * piece;
    int64_t line = piece * lines / pieces, last = (piece + 1) * lines / pieces;
    for (; line < last && !interrupt_wanted(); line++)
        sort_line(s, line, records);
}

size_t sort_scratch_size(const Sort *s)
{
    return (size_t)(2 * record_room(s) * count_pieces(s)) * sizeof(Record);
}

void sort_run(Pool *pool, const Sort *s)
{
    if (s->take > 0)
        pool_run(pool, sort_piece, (void *)(uintptr_t)s, count_pieces(s));
}

/* ---- search ---- */

enum {
    VALUES = 4096, /* how many a thread looks up at a time */
    KEYS = 1024,   /* elements of a sequence whose keys are made once for all these */
};

/* by halves, without a branch that depends on what is found; the keys of the sequence may be known */
INLINED int64_t search_sequence(DType dtype, const void *sequence, const uint64_t *keys,
                                int64_t start, int64_t n, uint64_t key, bool after)
{
    int64_t low = start;
    while (n > 0) {
        int64_t half = (n + 1) / 2, i = low + half - 1;
        uint64_t other = keys != NULL ? keys[i] : key_at(dtype, sequence, i);
        low += half & -(int64_t)((other < key) | (after & (other == key)));
        n -= half;
    }
    return low - start;
}

static inline void search_values(DType dtype, const Search *s, int64_t first, int64_t last)
{
    uint64_t keys[KEYS];
    bool has_keys = s->shared && s->n <= size_min(KEYS, last - first);
    for (int64_t i = 0; i < s->n && has_keys; i++)
        keys[i] = key_at(dtype, s->sequence, i);
    for (int64_t i = first; i < last && has_keys; i++)
        s->indices[i] =
            1 + search_sequence(dtype, NULL, keys, 0, s->n, key_at(dtype, s->values, i), s->after);
    for (int64_t i = first; i < last && !has_keys; i++) {
        int64_t start = s->shared ? 0 : i / s->m * s->n;
        uint64_t key = key_at(dtype, s->values, i);
        s->indices[i] = 1 + search_sequence(dtype, s->sequence, NULL, start, s->n, key, s->after);
    }
}

static void search_piece(void *context, int64_t piece)
{
    const Search *s = context;
    int64_t first = piece * VALUES, last = size_min(first + VALUES, s->rows * s->m);
    switch (s->dtype) {
#define ROW(constant, type, name, category)                                                        \
    case constant:                                                                                 \
        search_values(constant, s, first, last);                                                   \
        break;
        DTYPES(ROW)
#undef ROW
    default:
        break;
    }
}

void sort_search(Pool *pool, const Search *s)
{
    pool_run(pool, search_piece, (void *)(uintptr_t)s, size_pieces(s->rows * s->m, VALUES));
}
