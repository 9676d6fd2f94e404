/*
 * atomic_file.c - a file that is written whole or not at all; see atomic_file.h
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "formats/atomic_file.h"

enum { RANDOM_LETTERS = 6 }; /* that mkostemps chooses */

/* folder = where `path` lies; returns the name in it */
static const char *split(const char *path, char folder[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL || slash == path ? 1 : (size_t)(slash - path);

    memcpy(folder, slash == NULL ? "." : path, length);
    folder[length] = '\0';
    return slash == NULL ? path : slash + 1;
}

/* target = where what is written to `path` belongs: itself, or what links there lead to, which
 * need not be there */
static Reason follow(const char *path, char target[PATH_MAX])
{
    enum { LINKS = 40 }; /* as many as Linux follows */
    char link[PATH_MAX], folder[PATH_MAX];

    if (strlen(path) >= PATH_MAX)
        return strerror(ENAMETOOLONG);
    strcpy(target, path);
    for (int i = 0; i < LINKS; i++) {
        ssize_t length = readlink(target, link, sizeof(link) - 1);
        if (length < 0)
            return NULL; /* no link */
        link[length] = '\0';
        split(target, folder);
        int n = link[0] == '/' ? snprintf(target, PATH_MAX, "%s", link)
                               : snprintf(target, PATH_MAX, "%s/%s", folder, link);
        if (n < 0 || n >= PATH_MAX)
            return strerror(ENAMETOOLONG);
    }
    return strerror(ELOOP);
}

/* Is `entry` a temporary file for `name`, NAME.PID.RANDOM.new, of a process that is no more? */
static bool is_stale(int folder, const char *entry, const char *name)
{
    enum { QUIET = 60 }; /* seconds: who writes on another machine has written since */
    size_t length = strlen(name);
    struct stat status;
    char *end;

    if (strncmp(entry, name, length) != 0 || entry[length] != '.' ||
        !isdigit((unsigned char)entry[length + 1]))
        return false;
    long process = strtol(entry + length + 1, &end, 10);
    return end[0] == '.' && strlen(end) == RANDOM_LETTERS + strlen("..new") &&
           strcmp(end + 1 + RANDOM_LETTERS, ".new") == 0 && process > 0 && process <= INT_MAX &&
           kill((pid_t)process, 0) != 0 && errno == ESRCH &&
           fstatat(folder, entry, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
           time(NULL) - status.st_mtime > QUIET;
}

/* Removes what killed runs left of this file. */
static void sweep(const char *path)
{
    char folder[PATH_MAX];
    const char *name = split(path, folder);
    DIR *entries = opendir(folder);
    const struct dirent *entry;

    while (entries != NULL && (entry = readdir(entries)) != NULL)
        if (is_stale(dirfd(entries), entry->d_name, name))
            unlinkat(dirfd(entries), entry->d_name, 0);
    if (entries != NULL)
        closedir(entries);
}

/* what the umask leaves of rw-rw-rw-; the kernel tells it without a change to the whole process */
static mode_t new_mode(void)
{
    unsigned mask = 077;
    char line[128];
    FILE *status = fopen("/proc/self/status", "re");

    while (status != NULL && fgets(line, sizeof(line), status) != NULL)
        if (sscanf(line, "Umask: %o", &mask) == 1)
            break;
    if (status != NULL)
        fclose(status);
    return 0666 & ~(mode_t)mask;
}

Reason atomic_file_begin(AtomicFile *output, const char *path)
{
    struct stat old;
    Reason reason = follow(path, output->path);

    output->error = 0;
    if (reason != NULL)
        return reason;
    bool is_there = stat(output->path, &old) == 0;
    if (is_there && !S_ISREG(old.st_mode))
        return S_ISDIR(old.st_mode) ? strerror(EISDIR) : "is not a regular file";
    int length = snprintf(output->temporary, sizeof(output->temporary), "%s.%ld.XXXXXX.new",
                          output->path, (long)getpid());
    if (length < 0 || (size_t)length >= sizeof(output->temporary))
        return strerror(ENAMETOOLONG);
    sweep(output->path);
    /* under a name that nobody foresees, and only where there is none of that name */
    int descriptor = mkostemps(output->temporary, (int)strlen(".new"), O_CLOEXEC);
    if (descriptor < 0)
        return strerror(errno);
    output->file = fdopen(descriptor, "wb");
    if (output->file == NULL) {
        reason = strerror(errno);
        close(descriptor);
        remove(output->temporary);
        return reason;
    }
    /* the mode that the user gave the old file, or that a new one has here; that it cannot be had
     * is no reason to write none */
    (void)fchmod(descriptor, is_there ? old.st_mode & 07777 : new_mode());
    return NULL;
}

bool atomic_file_write(AtomicFile *output, const void *bytes, size_t size)
{
    if (output->error == 0 && size > 0 && fwrite(bytes, 1, size, output->file) < size)
        output->error = errno;
    return output->error == 0;
}

/* Puts the renamed entry of the folder on the disk; not every file system can, so it may fail. */
static void sync_folder(const char *path)
{
    char folder[PATH_MAX];

    split(path, folder);
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
        fsync(descriptor);
        close(descriptor);
    }
}

Reason atomic_file_end(AtomicFile *output, Reason reason)
{
    FILE *file = output->file;

    if (output->error != 0)
        reason = strerror(output->error);
    if (reason == NULL && (fflush(file) != 0 || fsync(fileno(file)) != 0))
        reason = strerror(errno);
    if (fclose(file) != 0 && reason == NULL)
        reason = strerror(errno);
    if (reason == NULL && rename(output->temporary, output->path) != 0)
        reason = strerror(errno);
    if (reason == NULL)
        sync_folder(output->path);
    else
        remove(output->temporary);
    return reason;
}
