/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/metrics-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "daemon/metrics.h"

struct VgpuMetricsFile {
    char *path;
    guint interval;
    char *(*collect)(gpointer opaque);
    gpointer opaque;
    GMutex lock;
    GCond cond;
    bool stopping;
    bool failed;
};

static bool
write_all(int fd, const char *text)
{
    gsize left = strlen(text);

    while (left > 0) {
        ssize_t written = write(fd, text, left);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        text += written;
        left -= (gsize) written;
    }
    return fchmod(fd, 0644) == 0; /* whatever the umask */
}

bool
vgpu_metrics_file_write(const char *path, const char *text, GError **error)
{
    /* created under a name that did not exist; the collector reads only *.prom */
    g_autofree char *temporary = g_strconcat(path, ".XXXXXX", NULL);
    int fd = g_mkstemp_full(temporary, O_WRONLY | O_CLOEXEC, 0600);
    int saved;
    bool written;

    if (fd < 0)
        return vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "write %s", path);
    written = write_all(fd, text);
    saved = errno;
    close(fd);
    if (written && g_rename(temporary, path) == 0)
        return true;
    if (written)
        saved = errno;
    (void) g_unlink(temporary);
    return vgpu_error_errno(error, VGPU_ERROR_FAILED, saved, "write %s", path);
}

static void
put(VgpuMetricsFile *self, const char *text)
{
    g_autoptr(GError) error = NULL;
    bool failed = !vgpu_metrics_file_write(self->path, text, &error);

    if (failed && !self->failed)
        g_warning("metrics: %s", error->message);
    self->failed = failed;
}

static gpointer
run(gpointer data)
{
    VgpuMetricsFile *self = data;

    g_mutex_lock(&self->lock);
    while (!self->stopping) {
        gint64 next = g_get_monotonic_time() + (gint64) self->interval * G_USEC_PER_SEC;
        g_autofree char *text = NULL;

        g_mutex_unlock(&self->lock);
        text = self->collect(self->opaque);
        g_mutex_lock(&self->lock);
        if (!self->stopping)
            put(self, text);
        while (!self->stopping && g_cond_wait_until(&self->cond, &self->lock, next))
            ;
    }
    g_mutex_unlock(&self->lock);
    return NULL;
}

VgpuMetricsFile *
vgpu_metrics_file_start(const char *path, guint interval, char *(*collect)(gpointer opaque),
                        gpointer opaque)
{
    VgpuMetricsFile *self = g_new0(VgpuMetricsFile, 1);

    self->path = g_strdup(path);
    self->interval = interval;
    self->collect = collect;
    self->opaque = opaque;
    g_mutex_init(&self->lock);
    g_cond_init(&self->cond);
    g_thread_unref(g_thread_new("metrics", run, self));
    return self;
}

void
vgpu_metrics_file_stop(VgpuMetricsFile *self)
{
    g_autofree char *down = vgpu_metrics_text_down();

    if (!self)
        return;
    g_mutex_lock(&self->lock);
    self->stopping = true;
    g_cond_signal(&self->cond);
    put(self, down);
    g_mutex_unlock(&self->lock);
}
