/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/kernel-log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/names.h"

#define RETRY_MS 5000
#define REST_US G_USEC_PER_SEC /* between two reads, however much is written */
#define RECORD_MAX 8192        /* the kernel's own limit (CONSOLE_EXT_LOG_MAX) */

struct VgpuKernelLog {
    const char *root;
    void (*found)(const VgpuXidRecord *record, gpointer opaque);
    bool (*is_kept)(gpointer opaque);
    gpointer opaque;
    GString *rest;    /* of a line whose end was not read yet */
    guint64 newest;   /* sequence number of the last record that was read */
    guint64 seen;     /* that of the last record that an earlier run handled */
    bool is_unsaved;  /* the last position is not on disk yet */
    bool is_new_boot; /* records before the start are skipped: none was handled in this boot */
};

static char *
state_path(const VgpuKernelLog *self)
{
    return g_build_filename(self->root, VGPU_PATH_KERNEL_LOG, NULL);
}

/* False: it cannot be told now how far the log was read. */
static bool
load(VgpuKernelLog *self)
{
    g_autofree char *path = state_path(self);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    if (!g_file_get_contents(path, &text, NULL, &error) &&
        !g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        return false;
    self->is_new_boot = !text || !g_ascii_string_to_unsigned(g_strstrip(text), 10, 0, G_MAXUINT64,
                                                             &self->seen, NULL);
    return true;
}

/* Not before its consequences are on disk: a daemon that is killed in between finds the record again. */
static void
save(VgpuKernelLog *self)
{
    g_autofree char *path = state_path(self);
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT "\n", self->newest);
    g_autoptr(GError) error = NULL;
    gsize len = strlen(text);

    if (!self->is_kept(self->opaque))
        return;
    self->seen = self->newest;
    self->is_unsaved = !vgpu_fs_replace(path, text, len, &error);
    if (self->is_unsaved)
        g_warning("errors of GPUs may be reported twice: %s", error->message);
}

/* True: it was reported. */
static bool
take_line(VgpuKernelLog *self, const char *line)
{
    VgpuXidRecord record;

    if (!vgpu_xid_read(line, &record)) /* a continuation of the previous record */
        return false;
    self->newest = record.sequence;
    if (!record.xid || self->is_new_boot || record.sequence <= self->seen)
        return false;
    self->found(&record, self->opaque);
    return true;
}

/* Read all that is there now. False: the log has ended, or cannot be read; errno says why, 0: it has
 * ended. */
static bool
read_all(VgpuKernelLog *self, int fd)
{
    g_autofree char *buffer = g_malloc(RECORD_MAX);
    ssize_t n;
    int why;

    for (;;) {
        char *end;

        n = read(fd, buffer, RECORD_MAX);
        if (n < 0 &&
            (errno == EINTR || errno == EPIPE)) /* some were overwritten before they were read */
            continue;
        if (n <= 0)
            break;
        g_string_append_len(self->rest, buffer, n);
        while ((end = memchr(self->rest->str, '\n', self->rest->len))) {
            *end = '\0';
            self->is_unsaved |= take_line(self, self->rest->str);
            g_string_erase(self->rest, 0, end + 1 - self->rest->str);
        }
    }
    why = n < 0 ? errno : 0;
    if (self->is_unsaved || self->is_new_boot)
        save(self);
    self->is_new_boot = false;
    errno = why;
    return why == EAGAIN;
}

/* Read for as long as that is possible; errno says why it is not any more. */
static void
follow(VgpuKernelLog *self, int fd)
{
    while (read_all(self, fd)) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };

        (void) poll(&wait, 1, self->is_unsaved ? RETRY_MS : -1);
        g_usleep(REST_US);
    }
}

/* Whether the failure may be over soon, unlike a kernel without that file. */
static bool
is_for_now(int err)
{
    return err == EINTR || err == EIO || err == EMFILE || err == ENFILE || err == ENOMEM ||
           err == ENOSPC;
}

static gpointer
run(gpointer data)
{
    VgpuKernelLog *self = data;
    g_autofree char *path = g_build_filename(self->root, VGPU_DEV_KMSG, NULL);
    int err;

    while (!load(self))
        g_usleep(REST_US);
    for (bool is_told = false;; is_told = true) {
        int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

        if (fd >= 0)
            follow(self, fd);
        err = errno;
        if (fd >= 0)
            close(fd);
        if (!is_for_now(err))
            break;
        if (!is_told)
            g_message("cannot read the kernel's log %s, trying again: %s", path, g_strerror(err));
        g_string_truncate(self->rest, 0);
        self->seen = MAX(self->seen, self->newest); /* all is read again */
        g_usleep(REST_US);
    }
    g_message("cannot read the kernel's log %s: %s; GPUs with errors are not cordoned", path,
              err ? g_strerror(err) : "it has ended");
    return NULL;
}

VgpuKernelLog *
vgpu_kernel_log_start(const char *root,
                      void (*found)(const VgpuXidRecord *record, gpointer opaque),
                      bool (*is_kept)(gpointer opaque), gpointer opaque)
{
    VgpuKernelLog *self = g_new0(VgpuKernelLog, 1);

    self->root = root;
    self->found = found;
    self->is_kept = is_kept;
    self->opaque = opaque;
    self->rest = g_string_new(NULL);
    g_thread_unref(g_thread_new("kernel-log", run, self)); /* for as long as the program */
    return self;
}
