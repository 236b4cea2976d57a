/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fake-driver-state.c: records of devices, and what still fits beside them
 *
 * What still fits is as NVIDIA's vGPU guide has it for time-sliced vGPUs in the default, equal-size mode, and as
 * listings of real cards show it (see tests/captures.h): all vGPUs of a GPU are of one frame buffer, of any
 * series; max_instance counts those of the whole GPU; one on each VF. creatable_vgpu_types has the heading and rows
 * ("%-5d : %s") that nvidia-vgpu-vfio.c prints, and the heading alone on a VF that has its vGPU.
 *
 * Nothing here calls malloc(): a removal runs in the child of a process with threads, where the
 * sanitizers' allocator, which is not made ready for a fork(), may wait for ever. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fake-driver-private.h"

#define TYPES_MAX 128
#define TABLE_MAX 16384 /* bytes of the types of one GPU */
#define POLL_MS 2
#define HUNG_MS 60000

#define KNOBS "knobs"
#define OF_GPU "driver/of-" /* a directory with the records of one GPU */
#define LOCK "driver/lock"

Path fake_root;

/* --- small things --------------------------------------------------------------------------- */

char *
fake_format(Path path, const char *text, ...)
{
    va_list args;

    va_start(args, text);
    vsnprintf(path, PATH_MAX, text, args);
    va_end(args);
    return path;
}

int
fake_open(int dir, const char *path, int flags, unsigned mode)
{
    return (int) syscall(SYS_openat, dir, path, flags, mode);
}

bool
fake_read_line(const char *path, char *line, size_t size)
{
    int fd = fake_open(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    ssize_t len;

    if (fd < 0)
        return false;
    len = read(fd, line, size - 1);
    close(fd);
    line[len > 0 ? len : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return len >= 0;
}

void
fake_put_line(const char *path, const char *line)
{
    int fd = fake_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    if (fd < 0)
        return;
    (void) !syscall(SYS_write, fd, line, strlen(line));
    close(fd);
}

void
fake_put_file(const char *path, const void *data, size_t len)
{
    const char *name = strrchr(path, '/') + 1;
    Path new;
    int fd;

    fake_format(new, "%.*s.%s", (int) (name - path), path, name);
    fd = fake_open(AT_FDCWD, new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return;
    (void) !syscall(SYS_write, fd, data, len);
    close(fd);
    rename(new, path);
}

bool
fake_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

void
fake_sleep_ms(unsigned ms)
{
    struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = (long) (ms % 1000) * 1000000 };

    while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
        ;
}

bool
fake_knob_text(const char *name, char *line, size_t size)
{
    Path path;

    return fake_read_line(fake_format(path, "%s/" KNOBS "/%s", fake_root, name), line, size);
}

unsigned
fake_knob(const char *name)
{
    char line[32];

    return fake_knob_text(name, line, sizeof(line)) ? (unsigned) strtoul(line, NULL, 10) : 0;
}

static const char *const places[] = { "gpu_instance_id", "placement_id" };

void
fake_show_places(const char *dir)
{
    char line[32];
    Path path;

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (!fake_knob_text(places[i], line, sizeof(line) - 1))
            continue;
        strcat(line, "\n");
        mkdir(fake_format(path, "%s/nvidia", dir), 0755);
        fake_put_line(fake_format(path, "%s/nvidia/%s", dir, places[i]), line);
    }
}

void
fake_hide_places(const char *dir)
{
    Path path;

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        unlink(fake_format(path, "%s/nvidia/%s", dir, places[i]));
}

bool
fake_knob_is_there(const char *prefix, const char *name)
{
    Path path;

    return fake_exists(fake_format(path, "%s/" KNOBS "/%s%s", fake_root, prefix, name));
}

bool
fake_knob_take(const char *name)
{
    unsigned left = fake_knob(name);
    Path path;
    char line[16];

    if (!left)
        return false;
    snprintf(line, sizeof(line), "%-8u\n", left - 1);
    fake_put_line(fake_format(path, "%s/" KNOBS "/%s", fake_root, name), line);
    return true;
}

/* Do not block for ever: a test that fails leaves the knob behind, and the harness waits until every process
 * has closed the test's output. */
void
fake_wait_while_hung(const char *what, const struct function *function)
{
    for (unsigned waited = 0; waited < HUNG_MS; waited += POLL_MS) {
        if (!fake_knob_is_there(what, function->addr) &&
            (strcmp(function->addr, function->pf) == 0 ||
             !fake_knob_is_there(what, function->pf)))
            return;
        fake_sleep_ms(POLL_MS);
    }
}

int
fake_lock(void)
{
    Path path;
    int fd = fake_open(AT_FDCWD, fake_format(path, "%s/" LOCK, fake_root),
                       O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    while (flock(fd, LOCK_EX) < 0 && errno == EINTR)
        ;
    return fd;
}

/* The names in a directory, one after the other. */
struct names {
    int fd;
    long len, at;
    char entries[4096];
};

static void
names_open(struct names *self, const char *path)
{
    self->fd = fake_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    self->len = self->at = 0;
}

/* NULL at the end, after which it is closed. */
static const char *
names_next(struct names *self)
{
    const struct dirent64 *entry;

    do {
        if (self->at == self->len) {
            self->len = self->fd < 0 ? 0
                                     : syscall(SYS_getdents64, self->fd, self->entries,
                                               sizeof(self->entries));
            self->at = 0;
        }
        if (self->len <= 0) {
            if (self->fd >= 0)
                close(self->fd);
            return NULL;
        }
        entry = (const struct dirent64 *) (self->entries + self->at);
        self->at += entry->d_reclen;
    } while (entry->d_name[0] == '.');
    return entry->d_name;
}

/* --- types ---------------------------------------------------------------------------------- */

void
fake_find_gpu(struct function *function)
{
    Path link;
    char target[1];

    function->addr = strrchr(function->dir, '/') + 1;
    fake_format(link, "%s/physfn", function->dir);
    /* mostly there is none, and realpath() looks at each name of the path before it says so */
    if (readlink(link, target, sizeof(target)) < 0 || !realpath(link, function->pf_dir))
        strcpy(function->pf_dir, function->dir);
    function->pf = strrchr(function->pf_dir, '/') + 1;
}

static unsigned
number_after(const char *text, const char *key)
{
    const char *at = strstr(text, key);

    return at ? (unsigned) strtoul(at + strlen(key), NULL, 10) : 0;
}

static bool
read_mdev_type(const struct function *function, const char *id, struct type *type)
{
    Path path;
    char line[256];

    if (!fake_read_line(fake_format(path, "%s/mdev_supported_types/%s/description", function->dir,
                                    id),
                        line, sizeof(line)))
        return false;
    *type = (struct type) {
        .fb_mib = number_after(line, "framebuffer="),
        .max_instance = number_after(line, "max_instance="),
    };
    snprintf(type->id, sizeof(type->id), "%s", id);
    return true;
}

static int
read_mdev_types(const struct function *function, struct type *types)
{
    struct names names;
    const char *name;
    Path path;
    int n = 0;

    names_open(&names, fake_format(path, "%s/mdev_supported_types", function->dir));
    while ((name = names_next(&names))) {
        if (n < TYPES_MAX && read_mdev_type(function, name, &types[n]))
            n++;
    }
    return n;
}

/* Those of a GPU whose VFs take numbers. */
static int
read_table(const struct function *function, struct type *types)
{
    Path path;
    char text[TABLE_MAX];
    int fd =
        fake_open(AT_FDCWD, fake_format(path, "%s/" FAKE_TABLES "%s", fake_root, function->pf),
                  O_RDONLY | O_CLOEXEC, 0);
    ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
    int n = 0;

    if (fd >= 0)
        close(fd);
    text[len > 0 ? len : 0] = '\0';
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        if (n == TYPES_MAX || sscanf(line, "%63s %u %u %95[^\n]", types[n].id, &types[n].fb_mib,
                                     &types[n].max_instance, types[n].name) != 4)
            break;
        n++;
    }
    return n;
}

bool
fake_read_type(const struct function *function, const char *id, struct type *type)
{
    struct type types[TYPES_MAX];
    int n;

    if (read_mdev_type(function, id, type))
        return true;
    n = read_table(function, types);
    for (int i = 0; i < n; i++) {
        if (strcmp(types[i].id, id) == 0) {
            *type = types[i];
            return true;
        }
    }
    return false;
}

/* --- capacity ------------------------------------------------------------------------------- */

/* Number @n of the functions of that GPU: the PF, then its VFs. */
static bool
nth_function(const char *pf_dir, int n, struct function *out)
{
    Path link;

    if (n == 0)
        strcpy(out->dir, pf_dir);
    else if (!realpath(fake_format(link, "%s/virtfn%d", pf_dir, n - 1), out->dir))
        return false;
    fake_find_gpu(out);
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
    struct names names;
    const char *name;
    Path path;
    size_t used = 1;

    *load = (struct load) { .busy = " " };
    names_open(&names, fake_format(path, "%s/" OF_GPU "%s", fake_root, function->pf));
    while ((name = names_next(&names))) {
        struct record record;
        struct type type;

        if (!fake_read_record(name, &record) || !fake_read_type(function, record.type, &type))
            continue;
        load->vgpus++;
        load->fb_mib = type.fb_mib;
        if (used + strlen(record.addr) + 2 < sizeof(load->busy))
            used += (size_t) sprintf(load->busy + used, "%s ", record.addr);
    }
}

static bool
is_busy(const struct load *load, const struct function *function)
{
    char name[64];

    snprintf(name, sizeof(name), " %s ", function->addr);
    return strstr(load->busy, name) != NULL;
}

static unsigned
room(const struct load *load, const struct type *type, const struct function *function)
{
    unsigned left;

    if (load->vgpus && load->fb_mib != type->fb_mib)
        return 0;
    left = type->max_instance > load->vgpus ? type->max_instance - load->vgpus : 0;
    if (strcmp(function->pf_dir, function->dir) == 0)
        return left;
    return left && !is_busy(load, function) ? 1 : 0;
}

bool
fake_has_room(const struct function *function, const struct type *type)
{
    struct load load;

    measure(function, &load);
    return room(&load, type, function) > 0;
}

/* In place and of one length, so that a reader never finds an empty file. */
static void
count_mdev(const struct function *function, const struct load *load, bool lie)
{
    struct type types[TYPES_MAX];
    int n = read_mdev_types(function, types);
    Path path;

    for (int i = 0; i < n; i++) {
        unsigned left = room(load, &types[i], function);
        char line[8];

        snprintf(line, sizeof(line), "%-3u\n", lie && !left ? 1 : left);
        fake_put_line(fake_format(path, "%s/mdev_supported_types/%s/available_instances",
                                  function->dir, types[i].id),
                      line);
    }
}

/* A VF that has a vGPU lists no types, even with the knob lie_available. */
static void
list_vendor(const struct function *function, const struct load *load, bool lie)
{
    struct type types[TYPES_MAX];
    int n = is_busy(load, function) ? 0 : read_table(function, types);
    char text[TABLE_MAX];
    size_t len = (size_t) sprintf(text, "ID    : vGPU Name\n");
    Path path;

    for (int i = 0; i < n; i++) {
        if (lie || room(load, &types[i], function))
            len += (size_t) snprintf(text + len, sizeof(text) - len, "%-5s : %s\n", types[i].id,
                                     types[i].name);
    }
    fake_put_file(fake_format(path, "%s/nvidia/creatable_vgpu_types", function->dir), text, len);
}

/* Update what still fits on every function of the GPU. */
static void
count_again(const struct function *function)
{
    bool lie = fake_knob_is_there("lie_available", "");
    struct function one;
    struct load load;
    Path path;

    measure(function, &load);
    for (int i = 0; nth_function(function->pf_dir, i, &one); i++) {
        if (fake_exists(fake_format(path, "%s/mdev_supported_types", one.dir)))
            count_mdev(&one, &load, lie);
        else if (fake_exists(fake_format(path, "%s/nvidia/creatable_vgpu_types", one.dir)))
            list_vendor(&one, &load, lie);
    }
}

/* --- records -------------------------------------------------------------------------------- */

bool
fake_read_record(const char *name, struct record *out)
{
    Path path;
    char line[128];

    return fake_read_line(fake_format(path, "%s/" FAKE_RECORDS "/%s", fake_root, name), line,
                          sizeof(line)) &&
           sscanf(line, "%31s %63s %d", out->addr, out->type, &out->group) == 3;
}

/* Filed under its GPU too, so that not all records are read to know what is on one. */
void
fake_put_record(const struct function *function, const char *name, const struct record *record)
{
    Path path;
    char line[128];

    snprintf(line, sizeof(line), "%s %s %d\n", record->addr, record->type, record->group);
    fake_put_line(fake_format(path, "%s/" FAKE_RECORDS "/%s", fake_root, name), line);
    mkdir(fake_format(path, "%s/" OF_GPU "%s", fake_root, function->pf), 0755);
    fake_put_line(fake_format(path, "%s/" OF_GPU "%s/%s", fake_root, function->pf, name), "");
    count_again(function);
}

void
fake_drop_record(const struct function *function, const char *name)
{
    Path path;

    unlink(fake_format(path, "%s/" FAKE_RECORDS "/%s", fake_root, name));
    unlink(fake_format(path, "%s/" OF_GPU "%s/%s", fake_root, function->pf, name));
    count_again(function);
}
