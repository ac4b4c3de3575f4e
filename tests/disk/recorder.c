/* Preloaded into a program, this writes down all that it does to the files right below one folder: names made, renamed and removed,
 * bytes written, sizes cut, syncs of files and of the folder, and the program's own marks.
 *
 * DISK_FOLDER is the folder's absolute path, DISK_LOG the file to append to. One lock is held over each operation and its record,
 * so the log's order is the order in which things happened, whatever threads there are. A record is the packed struct below and
 * `size` bytes. tests/disk/recording.py reads it, and checks that the log replayed gives the very files that the program left:
 * a way of writing that is not caught here is found there. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum { DESCRIPTORS = 4096, NAMES = 256, LONGEST = 96, THE_FOLDER = -1 };

struct record {
    char kind;
    uint32_t file;
    int64_t offset;
    uint32_t size;
} __attribute__((packed));

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static const char *folder;
static size_t folder_length;
static int log_file = -1;
static int file_of[DESCRIPTORS];
static struct { char name[LONGEST]; int file; } names[NAMES];
static int files;

#define REAL(type, name, ...) type (*real)(__VA_ARGS__) = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static void put(const void *bytes, size_t size) {
    const char *at = bytes;
    while (size > 0) {
        ssize_t written = syscall(SYS_write, log_file, at, size);
        if (written <= 0) abort();
        at += written;
        size -= (size_t)written;
    }
}

static void note(char kind, int file, int64_t offset, const void *bytes, size_t size) {
    struct record record = {kind, (uint32_t)file, offset, (uint32_t)size};
    put(&record, sizeof record);
    put(bytes, size);
}

__attribute__((constructor)) static void start(void) {
    const char *path = getenv("DISK_LOG");
    folder = getenv("DISK_FOLDER");
    if (!path || !folder) return;
    folder_length = strlen(folder);
    log_file = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_file < 0) abort();
}

/* The name below the folder, or NULL for what is not ours. */
static const char *below(const char *path) {
    if (log_file < 0 || !path || strncmp(path, folder, folder_length) != 0 || path[folder_length] != '/') return NULL;
    const char *name = path + folder_length + 1;
    if (strchr(name, '/') || strlen(name) >= LONGEST) abort();
    return *name ? name : NULL;
}

static int known(const char *name) {
    for (int at = 0; at < NAMES; at++)
        if (names[at].file && strcmp(names[at].name, name) == 0) return at;
    return -1;
}

static int made(const char *name) {
    for (int at = 0; at < NAMES; at++)
        if (!names[at].file) {
            strcpy(names[at].name, name);
            names[at].file = ++files;
            note('C', files, 0, name, strlen(name));
            return at;
        }
    abort();
}

static int opened(int (*real)(const char *, int, ...), const char *path, int flags, mode_t mode) {
    const char *name = below(path);
    int is_folder = log_file >= 0 && path && strcmp(path, folder) == 0;
    if (!name && !is_folder) return real(path, flags, mode);
    pthread_mutex_lock(&order);
    int descriptor = real(path, flags, mode);
    if (descriptor >= DESCRIPTORS) abort();
    if (descriptor >= 0 && name) {
        int at = known(name);
        if (at < 0) at = made(name);
        file_of[descriptor] = names[at].file;
        if (flags & O_TRUNC) note('T', names[at].file, 0, "", 0);
    } else if (descriptor >= 0) {
        file_of[descriptor] = THE_FOLDER;
    }
    pthread_mutex_unlock(&order);
    return descriptor;
}

#define OPENING(function)                                                     \
    int function(const char *path, int flags, ...) {                         \
        REAL(int, #function, const char *, int, ...);                        \
        va_list more;                                                        \
        va_start(more, flags);                                               \
        mode_t mode = flags & O_CREAT ? (mode_t)va_arg(more, int) : 0;       \
        va_end(more);                                                        \
        return opened(real, path, flags, mode);                              \
    }
OPENING(open)
OPENING(open64)

static int file_at(int descriptor) { return descriptor >= 0 && descriptor < DESCRIPTORS ? file_of[descriptor] : 0; }

int close(int descriptor) {
    REAL(int, "close", int);
    if (file_at(descriptor)) {
        pthread_mutex_lock(&order);
        file_of[descriptor] = 0;
        pthread_mutex_unlock(&order);
    }
    return real(descriptor);
}

ssize_t write(int descriptor, const void *bytes, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    if (!file_at(descriptor)) return real(descriptor, bytes, size);
    pthread_mutex_lock(&order);
    ssize_t written = real(descriptor, bytes, size);
    if (written > 0) note('W', file_of[descriptor], lseek(descriptor, 0, SEEK_CUR) - written, bytes, (size_t)written);
    pthread_mutex_unlock(&order);
    return written;
}

#define WRITING(function, position)                                                                \
    ssize_t function(int descriptor, const void *bytes, size_t size, position offset) {            \
        REAL(ssize_t, #function, int, const void *, size_t, position);                             \
        if (!file_at(descriptor)) return real(descriptor, bytes, size, offset);                    \
        pthread_mutex_lock(&order);                                                                \
        ssize_t written = real(descriptor, bytes, size, offset);                                   \
        if (written > 0) note('W', file_of[descriptor], offset, bytes, (size_t)written);           \
        pthread_mutex_unlock(&order);                                                              \
        return written;                                                                            \
    }
WRITING(pwrite, off_t)
WRITING(pwrite64, off64_t)

#define CUTTING(function, position)                                           \
    int function(int descriptor, position size) {                             \
        REAL(int, #function, int, position);                                  \
        if (!file_at(descriptor)) return real(descriptor, size);              \
        pthread_mutex_lock(&order);                                           \
        int failed = real(descriptor, size);                                  \
        if (!failed) note('T', file_of[descriptor], size, "", 0);             \
        pthread_mutex_unlock(&order);                                         \
        return failed;                                                        \
    }
CUTTING(ftruncate, off_t)
CUTTING(ftruncate64, off64_t)

#define SYNCING(function)                                                                        \
    int function(int descriptor) {                                                               \
        REAL(int, #function, int);                                                               \
        int file = file_at(descriptor);                                                          \
        if (!file) return real(descriptor);                                                      \
        pthread_mutex_lock(&order);                                                              \
        int failed = real(descriptor);                                                           \
        if (!failed) note(file == THE_FOLDER ? 'D' : 'S', file == THE_FOLDER ? 0 : file, 0, "", 0); \
        pthread_mutex_unlock(&order);                                                            \
        return failed;                                                                           \
    }
SYNCING(fsync)
SYNCING(fdatasync)

int unlink(const char *path) {
    REAL(int, "unlink", const char *);
    const char *name = below(path);
    if (!name) return real(path);
    pthread_mutex_lock(&order);
    int failed = real(path), at = known(name);
    if (!failed && at >= 0) {
        names[at].file = 0;
        note('U', 0, 0, name, strlen(name));
    }
    pthread_mutex_unlock(&order);
    return failed;
}

int rename(const char *from, const char *to) {
    REAL(int, "rename", const char *, const char *);
    const char *old_name = below(from), *new_name = below(to);
    if (!old_name || !new_name) return real(from, to);
    pthread_mutex_lock(&order);
    int failed = real(from, to), at = known(old_name), replaced = known(new_name);
    if (!failed && at >= 0) {
        char both[2 * LONGEST];
        size_t first = strlen(old_name) + 1;
        strcpy(both, old_name);
        strcpy(both + first, new_name);
        if (replaced >= 0) names[replaced].file = 0;
        strcpy(names[at].name, new_name);
        note('R', 0, 0, both, first + strlen(new_name));
    }
    pthread_mutex_unlock(&order);
    return failed;
}

/* What the program says of itself, in the order of its writes; called by the program through ctypes. */
void disk_mark(const char *text) {
    if (log_file < 0) return;
    pthread_mutex_lock(&order);
    note('M', 0, 0, text, strlen(text));
    pthread_mutex_unlock(&order);
}
