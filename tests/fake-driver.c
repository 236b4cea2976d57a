#include "fake-driver.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define UUID_LEN 36
#define REQUEST_MAX 64
#define TYPES_MAX 64
#define POLL_MS 2

/* Below the root; the records are what counts, /sys is a view of them. */
#define KNOBS "knobs"
#define RECORDS "driver/devices"
#define OF_GPU "driver/of-" /* a directory with the records of one GPU */
#define LOCK "driver/lock"
#define MDEV_DEVICES "sys/bus/mdev/devices"
#define GROUPS "sys/kernel/iommu_groups"
#define VFIO "dev/vfio"

typedef char Path[PATH_MAX];

static char root[PATH_MAX]; /* canonical, "" for none */

/* A function that carries vGPUs: DIR/ADDR */
struct function {
    Path dir;
    const char *addr; /* in @dir */
    Path pf_dir;      /* its GPU, may be itself */
};

struct type {
    char id[64];
    unsigned fb_mib;
    unsigned max_instance;
};

/* A device: its record is "ADDR TYPE GROUP" in a file named by its UUID. */
struct record {
    char addr[32];
    char type[64];
    int group;
};

/* --- small things --------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static char *
format(Path path, const char *text, ...)
{
    va_list args;

    va_start(args, text);
    vsnprintf(path, PATH_MAX, text, args);
    va_end(args);
    return path;
}

static int
real_open(int dir, const char *path, int flags, mode_t mode)
{
    return (int) syscall(SYS_openat, dir, path, flags, mode);
}

/* What is in the file, up to its first line's end; false when it cannot be read. */
static bool
read_line(const char *path, char *line, size_t size)
{
    int fd = real_open(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    ssize_t len;

    if (fd < 0)
        return false;
    len = read(fd, line, size - 1);
    close(fd);
    line[len > 0 ? len : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return len >= 0;
}

static void
put_line(const char *path, const char *line)
{
    int fd = real_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    if (fd < 0)
        return;
    (void) !syscall(SYS_write, fd, line, strlen(line));
    close(fd);
}

static bool
exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static void
sleep_ms(unsigned ms)
{
    struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = (long) (ms % 1000) * 1000000 };

    while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
        ;
}

static unsigned
knob(const char *name)
{
    Path path;
    char line[32];

    return read_line(format(path, "%s/" KNOBS "/%s", root, name), line, sizeof(line))
               ? (unsigned) strtoul(line, NULL, 10)
               : 0;
}

static bool
knob_is_there(const char *prefix, const char *name)
{
    Path path;

    return exists(format(path, "%s/" KNOBS "/%s%s", root, prefix, name));
}

static int
lock(void)
{
    Path path;
    int fd =
        real_open(AT_FDCWD, format(path, "%s/" LOCK, root), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    while (flock(fd, LOCK_EX) < 0 && errno == EINTR)
        ;
    return fd;
}

static bool
read_record(const char *uuid, struct record *out)
{
    Path path;
    char line[128];

    return read_line(format(path, "%s/" RECORDS "/%s", root, uuid), line, sizeof(line)) &&
           sscanf(line, "%31s %63s %d", out->addr, out->type, &out->group) == 3;
}

/* --- capacity ------------------------------------------------------------------------------- */

static void
find_gpu(struct function *function)
{
    Path link;

    function->addr = strrchr(function->dir, '/') + 1;
    if (!realpath(format(link, "%s/physfn", function->dir), function->pf_dir))
        strcpy(function->pf_dir, function->dir);
}

/* Number @n of the functions of that GPU: the PF, then its VFs. */
static bool
nth_function(const char *pf_dir, int n, Path dir)
{
    Path link;

    if (n == 0)
        return strcpy(dir, pf_dir) != NULL;
    return realpath(format(link, "%s/virtfn%d", pf_dir, n - 1), dir) != NULL;
}

static bool
read_type(const char *function_dir, const char *id, struct type *type)
{
    Path path;
    char line[256];
    const char *fb, *max;

    if (!read_line(format(path, "%s/mdev_supported_types/%s/description", function_dir, id), line,
                   sizeof(line)))
        return false;
    fb = strstr(line, "framebuffer=");
    max = strstr(line, "max_instance=");
    snprintf(type->id, sizeof(type->id), "%s", id);
    type->fb_mib = fb ? (unsigned) strtoul(fb + strlen("framebuffer="), NULL, 10) : 0;
    type->max_instance = max ? (unsigned) strtoul(max + strlen("max_instance="), NULL, 10) : 0;
    return true;
}

/* What is on one GPU. */
struct load {
    unsigned vgpus;
    unsigned fb_mib; /* of each of them: a GPU is shared between equal sizes only */
    char busy[2048]; /* " ADDR ADDR ": functions that have one */
};

static void
measure(const struct function *function, struct load *load)
{
    const char *pf = strrchr(function->pf_dir, '/') + 1;
    Path path;
    DIR *dir = opendir(format(path, "%s/" OF_GPU "%s", root, pf));
    struct dirent *entry;
    size_t used = 1;

    *load = (struct load) { .busy = " " };
    while (dir && (entry = readdir(dir))) {
        struct record record;
        struct type type;

        if (entry->d_name[0] == '.' || !read_record(entry->d_name, &record) ||
            !read_type(function->dir, record.type, &type))
            continue;
        load->vgpus++;
        load->fb_mib = type.fb_mib;
        if (used + strlen(record.addr) + 2 < sizeof(load->busy))
            used += (size_t) sprintf(load->busy + used, "%s ", record.addr);
    }
    if (dir)
        closedir(dir);
}

/* So that it need not look through all records to know what is on one GPU. */
static void
file_under_gpu(const struct function *function, const char *uuid, bool there)
{
    const char *pf = strrchr(function->pf_dir, '/') + 1;
    Path dir, path;

    mkdir(format(dir, "%s/" OF_GPU "%s", root, pf), 0755);
    format(path, "%s/%s", dir, uuid);
    if (there)
        put_line(path, "");
    else
        unlink(path);
}

static unsigned
room(const struct load *load, const struct type *type, const char *pf_dir,
     const char *function_dir)
{
    char name[64];
    unsigned left;

    if (load->vgpus && load->fb_mib != type->fb_mib)
        return 0;
    left = type->max_instance > load->vgpus ? type->max_instance - load->vgpus : 0;
    if (strcmp(pf_dir, function_dir) == 0)
        return left;
    snprintf(name, sizeof(name), " %s ", strrchr(function_dir, '/') + 1);
    return left && !strstr(load->busy, name) ? 1 : 0;
}

static int
read_types(const char *function_dir, struct type *types)
{
    Path path;
    DIR *dir = opendir(format(path, "%s/mdev_supported_types", function_dir));
    struct dirent *entry;
    int n = 0;

    while (dir && n < TYPES_MAX && (entry = readdir(dir))) {
        if (entry->d_name[0] != '.' && read_type(function_dir, entry->d_name, &types[n]))
            n++;
    }
    if (dir)
        closedir(dir);
    return n;
}

/* Write down for every type of every function of the GPU how many more fit. In place and of one
 * length, so that a reader never finds an empty file. */
static void
count_again(const struct function *function)
{
    const char *pf_dir = function->pf_dir;
    bool lie = knob_is_there("lie_available", "");
    struct type types[TYPES_MAX];
    struct load load;
    Path dir, path;
    int n_types = 0;

    measure(function, &load);
    for (int i = 0; nth_function(pf_dir, i, dir); i++) {
        if (!exists(format(path, "%s/mdev_supported_types", dir)))
            continue;
        if (!n_types) /* they are the same on all */
            n_types = read_types(dir, types);
        for (int j = 0; j < n_types; j++) {
            unsigned left = room(&load, &types[j], pf_dir, dir);
            char line[8];

            snprintf(line, sizeof(line), "%-3u\n", lie && !left ? 1 : left);
            put_line(format(path, "%s/mdev_supported_types/%s/available_instances", dir,
                            types[j].id),
                     line);
        }
    }
}

/* --- create and remove ---------------------------------------------------------------------- */

static bool
read_uuid(const char *text, size_t len, char uuid[UUID_LEN + 1])
{
    if (len == UUID_LEN + 1 && text[UUID_LEN] == '\n')
        len--;
    if (len != UUID_LEN)
        return false;
    for (int i = 0; i < UUID_LEN; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? text[i] != '-' : !isxdigit((unsigned char) text[i]))
            return false;
        uuid[i] = (char) tolower((unsigned char) text[i]);
    }
    uuid[UUID_LEN] = '\0';
    return true;
}

/* The links of a device that is in the records. */
static void
show(const struct function *function, const char *uuid, const struct record *record)
{
    const char *below_sys = function->dir + strlen(root) + strlen("/sys/");
    Path dir, path, target;
    int depth = 1;

    format(dir, "%s/%s", function->dir, uuid);
    mkdir(dir, 0755);
    put_line(format(path, "%s/remove", dir), "");
    (void) !symlink(format(target, "../mdev_supported_types/%s", record->type),
                    format(path, "%s/mdev_type", dir));

    mkdir(format(path, "%s/" GROUPS "/%d", root, record->group), 0755);
    put_line(format(path, "%s/" VFIO "/%d", root, record->group), uuid);
    strcpy(target, "../");
    for (const char *c = below_sys; *c; c++)
        depth += *c == '/';
    for (int i = 0; i < depth; i++)
        strcat(target, "../");
    format(path, "%skernel/iommu_groups/%d", target, record->group);
    strcpy(target, path);
    (void) !symlink(target, format(path, "%s/iommu_group", dir));

    (void) !symlink(format(target, "../../../%s/%s", below_sys, uuid),
                    format(path, "%s/" MDEV_DEVICES "/%s", root, uuid));
}

static void
hide(const struct function *function, const char *uuid)
{
    static const char *const files[] = { "/remove", "/mdev_type", "/iommu_group" };
    Path path;

    unlink(format(path, "%s/" MDEV_DEVICES "/%s", root, uuid));
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        unlink(format(path, "%s/%s%s", function->dir, uuid, files[i]));
    rmdir(format(path, "%s/%s", function->dir, uuid));
}

static int
free_group(void)
{
    Path path;
    int group = 1;

    while (exists(format(path, "%s/" VFIO "/%d", root, group)))
        group++;
    return group;
}

static bool
shall_fail(void)
{
    unsigned left = knob("create_fail_next");
    Path path;
    char line[16];

    if (!left)
        return false;
    snprintf(line, sizeof(line), "%-8u\n", left - 1);
    put_line(format(path, "%s/" KNOBS "/create_fail_next", root), line);
    return true;
}

static void
wait_while_hung(const char *what, const struct function *function)
{
    while (knob_is_there(what, function->addr) ||
           knob_is_there(what, strrchr(function->pf_dir, '/') + 1))
        sleep_ms(POLL_MS);
}

/* With the lock held. Returns an errno value. */
static int
create_now(const struct function *function, const char *type_id, const char *uuid)
{
    struct record record = { 0 };
    struct type type;
    struct load load;
    Path path;
    char line[128];

    if (exists(format(path, "%s/" RECORDS "/%s", root, uuid)))
        return EEXIST;
    if (shall_fail() || !read_type(function->dir, type_id, &type))
        return EIO;
    measure(function, &load);
    if (!room(&load, &type, function->pf_dir, function->dir))
        return EIO;
    snprintf(record.addr, sizeof(record.addr), "%s", function->addr);
    snprintf(record.type, sizeof(record.type), "%s", type_id);
    record.group = free_group();
    snprintf(line, sizeof(line), "%s %s %d\n", record.addr, record.type, record.group);
    put_line(path, line);
    file_under_gpu(function, uuid, true);
    count_again(function);
    show(function, uuid, &record);
    return 0;
}

/* @path is DIR/ADDR/mdev_supported_types/TYPE/create, and is taken apart. */
static int
create_device(char *path, const char *text, size_t len)
{
    struct function function;
    char uuid[UUID_LEN + 1];
    char *type;
    int fd, err;

    *strrchr(path, '/') = '\0';
    type = strrchr(path, '/') + 1;
    *strrchr(path, '/') = '\0';
    *strrchr(path, '/') = '\0';
    strcpy(function.dir, path);
    find_gpu(&function);
    if (!read_uuid(text, len, uuid))
        return EINVAL;

    sleep_ms(knob("create_delay_ms"));
    wait_while_hung("hang_create-", &function);
    fd = lock();
    err = create_now(&function, type, uuid);
    close(fd);
    sleep_ms(knob("create_late_ms"));
    return err;
}

/* @path is DIR/ADDR/UUID/remove, and is taken apart. */
static int
remove_device(char *path, const char *text, size_t len)
{
    struct function function;
    struct record record;
    const char *uuid;
    Path file;
    int fd;
    bool there;

    if (len < 1 || !isdigit((unsigned char) text[0]))
        return EINVAL;
    if (text[0] == '0')
        return 0;
    *strrchr(path, '/') = '\0';
    uuid = strrchr(path, '/') + 1;
    *strrchr(path, '/') = '\0';
    strcpy(function.dir, path);
    find_gpu(&function);

    fd = lock();
    there =
        exists(format(file, "%s/" MDEV_DEVICES "/%s", root, uuid)) && read_record(uuid, &record);
    if (there)
        hide(&function, uuid);
    close(fd);
    if (!there)
        return ENODEV;

    while (knob_is_there("open-", uuid))
        sleep_ms(POLL_MS);
    sleep_ms(knob("remove_delay_ms"));
    wait_while_hung("hang_remove-", &function);

    fd = lock();
    unlink(format(file, "%s/" RECORDS "/%s", root, uuid));
    file_under_gpu(&function, uuid, false);
    unlink(format(file, "%s/" VFIO "/%d", root, record.group));
    rmdir(format(file, "%s/" GROUPS "/%d", root, record.group));
    count_again(&function);
    close(fd);
    return 0;
}

/* --- in libc's place ------------------------------------------------------------------------ */

void
fake_driver_set_root(const char *path)
{
    if (!path || !realpath(path, root))
        root[0] = '\0';
}

__attribute__((constructor)) static void
set_root_from_environment(void)
{
    fake_driver_set_root(getenv("FAKE_DRIVER_ROOT"));
}

static bool
is_below_root(const char *path, const char *dir)
{
    size_t len = strlen(root);

    return len && strncmp(path, root, len) == 0 && strncmp(path + len, dir, strlen(dir)) == 0;
}

/* The file's name, if it is below the root. */
static bool
name_of(int fd, Path path)
{
    struct stat st;
    char link[32];
    ssize_t len;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) /* it is mostly the main loop waking itself */
        return false;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, path, PATH_MAX - 1);
    if (len < 0)
        return false;
    path[len] = '\0';
    return is_below_root(path, "/sys/");
}

static bool
has_suffix(const char *text, const char *suffix)
{
    size_t len = strlen(text), tail = strlen(suffix);

    return len > tail && strcmp(text + len - tail, suffix) == 0;
}

__attribute__((visibility("default"))) ssize_t
write(int fd, const void *data, size_t len)
{
    Path path;
    int err;

    if (!root[0] || !len || len > REQUEST_MAX || !name_of(fd, path))
        return syscall(SYS_write, fd, data, len);
    if (has_suffix(path, "/create") && strstr(path, "/mdev_supported_types/"))
        err = create_device(path, data, len);
    else if (has_suffix(path, "/remove"))
        err = remove_device(path, data, len);
    else
        return syscall(SYS_write, fd, data, len);
    errno = err;
    return err ? -1 : (ssize_t) len;
}

/* A VFIO group can be opened once. */
static bool
is_open_already(int dir, const char *path)
{
    const char *group = strstr(path, VFIO "/");
    Path real, uuid;

    if (!root[0] || !group)
        return false;
    if (path[0] == '/') {
        strcpy(real, path);
    } else {
        char link[32];
        ssize_t len;

        snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
        len = dir == AT_FDCWD ? -1 : readlink(link, uuid, sizeof(uuid) - 1);
        if (len < 0)
            return false;
        uuid[len] = '\0';
        if (snprintf(real, sizeof(real), "%s/%s", uuid, path) >= (int) sizeof(real))
            return false;
    }
    return is_below_root(real, "/" VFIO "/") && read_line(real, uuid, UUID_LEN + 2) &&
           strlen(uuid) == UUID_LEN && knob_is_there("open-", uuid);
}

static int
open_unless_busy(int dir, const char *path, int flags, mode_t mode)
{
    if (is_open_already(dir, path)) {
        errno = EBUSY;
        return -1;
    }
    return real_open(dir, path, flags, mode);
}

/* libc declares these with attributes of its own */
#define OPEN(name)                                                                               \
    __attribute__((visibility("default"))) int name(const char *path, int flags, ...)            \
    {                                                                                            \
        va_list args;                                                                            \
        mode_t mode;                                                                             \
                                                                                                 \
        va_start(args, flags);                                                                   \
        mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;                                       \
        va_end(args);                                                                            \
        return open_unless_busy(AT_FDCWD, path, flags, mode);                                    \
    }
#define OPENAT(name)                                                                             \
    __attribute__((visibility("default"))) int name(int dir, const char *path, int flags, ...)   \
    {                                                                                            \
        va_list args;                                                                            \
        mode_t mode;                                                                             \
                                                                                                 \
        va_start(args, flags);                                                                   \
        mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;                         \
        va_end(args);                                                                            \
        return open_unless_busy(dir, path, flags, mode);                                         \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
