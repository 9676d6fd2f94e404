/*
 * download.c - fetches one file, whole and checked, or not at all
 *
 * Invariant: PATH.part is written only by the process that holds its lock, and only that process
 * renames or removes it; so what a killed run left behind is simply overwritten by the next.
 */
/* libcurl is called through pointers, which its type-checking macros cannot do. */
#define CURL_DISABLE_TYPECHECK

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/digest.h"
#include "formats/download.h"
#include "formats/gzip.h"
#include "tensor/interrupt.h"

const char download_stopped[] = "stopped";
const char download_unlike[] = "other content than expected";

#define CURL_FUNCTIONS(ROW)                                                                        \
    ROW(curl_global_init)                                                                          \
    ROW(curl_global_cleanup)                                                                       \
    ROW(curl_easy_init)                                                                            \
    ROW(curl_easy_setopt)                                                                          \
    ROW(curl_easy_perform)                                                                         \
    ROW(curl_easy_strerror)                                                                        \
    ROW(curl_easy_cleanup)

/* libcurl's functions under their own names, as pointers */
typedef struct {
#define ROW(name) __typeof__(name) *name;
    CURL_FUNCTIONS(ROW)
#undef ROW
} Curl;

typedef struct {
    const DownloadPlan *plan;
    int descriptor;
    int64_t received;
    Reason reason; /* why a callback gave up */
    int error;     /* and its errno, or 0 */
} Transfer;

static Reason explain(char detail[DOWNLOAD_DETAIL], Reason reason, const char *text)
{
    size_t length = strlen(text);

    if (length >= DOWNLOAD_DETAIL)
        length = DOWNLOAD_DETAIL - 1;
    memcpy(detail, text, length);
    detail[length] = '\0';
    return reason;
}

/* ---- libcurl ---- */

/* The library stays loaded after dlclose: TLS libraries must not be taken out of a process. */
static void *curl_open(Curl *curl)
{
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    bool complete = library != NULL;

#define ROW(name)                                                                                  \
    if (complete) {                                                                                \
        void *address = dlsym(library, #name);                                                     \
        memcpy(&curl->name, &address, sizeof(address));                                            \
        complete = address != NULL;                                                                \
    }
    CURL_FUNCTIONS(ROW)
#undef ROW
    if (!complete && library != NULL)
        dlclose(library);
    return complete ? library : NULL;
}

static bool write_all(int descriptor, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = write(descriptor, bytes, size);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
        }
    }
    return true;
}

static size_t on_bytes(char *bytes, size_t one, size_t size, void *context)
{
    Transfer *transfer = context;

    size *= one;
    transfer->received += (int64_t)size;
    if (transfer->received > transfer->plan->limit) {
        transfer->reason = "the server sends more than the file can be";
        return 0;
    }
    if (!write_all(transfer->descriptor, bytes, size)) {
        transfer->reason = "cannot write the file";
        transfer->error = errno;
        return 0;
    }
    return size;
}

static int on_progress(void *context, curl_off_t total, curl_off_t done, curl_off_t upload_total,
                       curl_off_t upload_done)
{
    Transfer *transfer = context;
    const DownloadPlan *plan = transfer->plan;

    (void)upload_total;
    (void)upload_done;
    bool goes_on = plan->progress == NULL || plan->progress(plan->context, done, total);
    if (goes_on && !interrupt_wanted())
        return 0;
    transfer->reason = download_stopped;
    return 1;
}

static CURLcode configure(const Curl *curl, CURL *handle, Transfer *transfer, char *error)
{
    const struct {
        CURLoption option;
        long value;
    } numbers[] = {
        {CURLOPT_FAILONERROR, 1},       {CURLOPT_FOLLOWLOCATION, 1}, {CURLOPT_MAXREDIRS, 5},
        {CURLOPT_CONNECTTIMEOUT, 15},   {CURLOPT_NOSIGNAL, 1},       {CURLOPT_NOPROGRESS, 0},
        {CURLOPT_LOW_SPEED_LIMIT, 100}, /* bytes a second, */
        {CURLOPT_LOW_SPEED_TIME, 30},   /* for so many seconds: given up */
    };
    const struct {
        CURLoption option;
        const void *value;
    } pointers[] = {
        {CURLOPT_URL, transfer->plan->url},
        {CURLOPT_PROTOCOLS_STR, "http,https"}, /* redirections too */
        {CURLOPT_USERAGENT, "wrun"},
        {CURLOPT_ERRORBUFFER, error},
        {CURLOPT_WRITEDATA, transfer},
        {CURLOPT_XFERINFODATA, transfer},
    };
    CURLcode code = curl->curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_bytes);

    for (size_t i = 0; code == CURLE_OK && i < COUNT_OF(numbers); i++)
        code = curl->curl_easy_setopt(handle, numbers[i].option, numbers[i].value);
    for (size_t i = 0; code == CURLE_OK && i < COUNT_OF(pointers); i++)
        code = curl->curl_easy_setopt(handle, pointers[i].option, pointers[i].value);
    if (code == CURLE_OK)
        code = curl->curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
    return code;
}

static Reason fetch(Transfer *transfer, char detail[DOWNLOAD_DETAIL])
{
    Curl curl;
    CURL *handle = NULL;
    char error[CURL_ERROR_SIZE] = "";
    errno = 0;
    void *library = curl_open(&curl);

    if (library == NULL && errno == ENOMEM)
        return explain(detail, "not enough memory", "");
    if (library == NULL)
        return explain(detail, "needs libcurl.so.4 (Debian package libcurl4)", "");
    CURLcode code = curl.curl_global_init(CURL_GLOBAL_DEFAULT);
    if (code == CURLE_OK) {
        handle = curl.curl_easy_init();
        code = handle == NULL ? CURLE_OUT_OF_MEMORY : configure(&curl, handle, transfer, error);
        if (code == CURLE_OK)
            code = curl.curl_easy_perform(handle);
        if (handle != NULL)
            curl.curl_easy_cleanup(handle);
        curl.curl_global_cleanup();
    }
    const char *text = error[0] != '\0' ? error : curl.curl_easy_strerror(code);
    if (transfer->reason != NULL)
        explain(detail, NULL, transfer->error != 0 ? strerror(transfer->error) : "");
    else if (code != CURLE_OK)
        transfer->reason = explain(detail, "cannot be fetched", text);
    dlclose(library);
    return transfer->reason;
}

/* ---- the file ---- */

/* Is the open file still the one at this path? */
static bool is_at(int descriptor, const char *path)
{
    struct stat ours, there;

    return fstat(descriptor, &ours) == 0 && stat(path, &there) == 0 &&
           ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

/* Opens and locks `part`, anew while its last owner renames or removes it between the two. */
static Reason part_open(const char *part, int *descriptor, char detail[DOWNLOAD_DETAIL])
{
    for (;;) {
        int d = open(part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (d < 0)
            return explain(detail, "cannot write the file", strerror(errno));
        if (flock(d, LOCK_EX | LOCK_NB) != 0) {
            close(d);
            return "another process is downloading it";
        }
        if (is_at(d, part)) {
            *descriptor = d;
            return NULL;
        }
        close(d);
    }
}

/* text = SHA-256 of the uncompressed content of the open file */
static Reason content_digest(int descriptor, int64_t limit, char text[DIGEST_TEXT])
{
    GzipReader reader;
    Digest digest;
    unsigned char piece[1 << 14];
    size_t got = sizeof(piece);
    Reason reason;

    if (lseek(descriptor, 0, SEEK_SET) != 0 || (descriptor = dup(descriptor)) < 0)
        return strerror(errno);
    digest_start(&digest);
    reason = gzip_open(&reader, descriptor);
    for (int64_t size = 0; reason == NULL && got == sizeof(piece); size += (int64_t)got) {
        reason = gzip_read(&reader, piece, sizeof(piece), &got);
        if (reason == NULL && size > limit - (int64_t)got)
            reason = "it inflates to more than the file can be";
        if (reason == NULL)
            digest_add(&digest, piece, got);
    }
    gzip_close(&reader);
    digest_finish(&digest, text);
    return reason;
}

static Reason check_content(const Transfer *transfer, char detail[DOWNLOAD_DETAIL])
{
    char text[DIGEST_TEXT];
    const char *expected = transfer->plan->sha256;
    Reason reason;

    if (expected == NULL)
        return NULL;
    reason = content_digest(transfer->descriptor, transfer->plan->limit, text);
    if (reason != NULL)
        return explain(detail, "damaged content", reason);
    if (strcmp(text, expected) != 0)
        return explain(detail, download_unlike, text);
    return NULL;
}

static Reason fetch_into(const DownloadPlan *plan, const char *part, char detail[DOWNLOAD_DETAIL])
{
    Transfer transfer = {.plan = plan};
    Reason reason = part_open(part, &transfer.descriptor, detail);

    if (reason != NULL)
        return reason;
    if (ftruncate(transfer.descriptor, 0) != 0)
        reason = explain(detail, "cannot write the file", strerror(errno));
    if (reason == NULL)
        reason = fetch(&transfer, detail);
    if (reason == NULL)
        reason = check_content(&transfer, detail);
    if (reason == NULL && (fsync(transfer.descriptor) != 0 || rename(part, plan->path) != 0))
        reason = explain(detail, "cannot write the file", strerror(errno));
    if (reason != NULL)
        unlink(part);
    close(transfer.descriptor);
    return reason;
}

Reason download_run(const DownloadPlan *plan, char detail[DOWNLOAD_DETAIL])
{
    static const char suffix[] = ".part";
    size_t length = strlen(plan->path);
    char *part = malloc(length + sizeof(suffix));

    if (part == NULL)
        return explain(detail, "not enough memory", "");
    memcpy(part, plan->path, length);
    memcpy(part + length, suffix, sizeof(suffix));
    detail[0] = '\0';
    Reason reason = fetch_into(plan, part, detail);
    free(part);
    return reason;
}
