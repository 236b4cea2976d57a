/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor-manager.c: NVIDIA's manager, without which none of its vGPUs starts, and its last errors */
#include <ctype.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor-manager.h"
#include "cli/doctor-private.h"

#define NAME "nvidia-vgpu-mgr" /* as long as a name in /proc may be */
#define ERROR_MARK ": error: vmiop_"
#define TAIL (256 * 1024) /* of a log */
#define LINES "1000"      /* of the journal */

static void
check_runs(VgpuDoctor *self)
{
    g_autoptr(GPtrArray) pids = vgpu_sysfs_list(self->fs, "proc");

    for (guint i = 0; i < pids->len; i++) {
        g_autofree char *path = g_strdup_printf("proc/%s/comm", (const char *) pids->pdata[i]);
        g_autofree char *comm = isdigit((unsigned char) *(const char *) pids->pdata[i])
                                    ? vgpu_sysfs_read(self->fs, path, NULL)
                                    : NULL;

        if (g_strcmp0(comm, NAME) == 0) {
            vgpu_doctor_row_add(self, NAME, VGPU_DOCTOR_OK, "runs", NULL);
            return;
        }
    }
    vgpu_doctor_row_add(self, NAME, VGPU_DOCTOR_FAIL,
                        "is not running: no domain with an NVIDIA vGPU can start",
                        "systemctl start nvidia-vgpu-mgr, and enable it for the next boot");
}

/* --- its log ------------------------------------------------------------------------- */

/* Its process number in a line of a log; NULL: the line is not its own. */
static char *
pid_of(const char *line)
{
    const char *at = strstr(line, NAME "["), *end = at ? strchr(at, ']') : NULL;

    return end ? g_strndup(at + strlen(NAME "["), (gsize) (end - at) - strlen(NAME "[")) : NULL;
}

/* Lines that only make sense to NVIDIA's developers. */
static bool
is_noise(const char *error)
{
    return strstr(error, "returned by backtrace") || strstr(error, "Assertion Failed") ||
           strstr(error, "NVOS status") || strstr(error, " [0x");
}

/* With its time, where the line begins as syslog and journalctl write it: "Feb 13 15:20:08 HOST " */
static char *
describe(const char *line, const char *error)
{
    const char *host = strlen(line) > 16 && line[3] == ' ' && line[9] == ':' ? line + 15 : NULL;

    return host && *host == ' ' ? g_strdup_printf("%.15s: %s", line, error) : g_strdup(error);
}

char *
vgpu_doctor_manager_reason(const char *log)
{
    g_auto(GStrv) lines = g_strsplit(log, "\n", -1);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *reason = NULL, *noise = NULL, *newest = NULL;

    for (char **line = lines; *line; line++) {
        char *pid = pid_of(*line);
        const char *mark = pid ? strstr(*line, ERROR_MARK) : NULL;
        const char *error = mark ? strstr(mark + strlen(ERROR_MARK), ": ") : NULL;

        if (!pid)
            continue;
        if (g_hash_table_add(seen, pid)) { /* each vGPU has one, and earlier lines are about older
                                            * ones */
            g_free(newest);
            newest = g_strdup(pid);
            g_clear_pointer(&reason, g_free);
            g_clear_pointer(&noise, g_free);
        }
        if (!error || g_strcmp0(pid, newest) != 0)
            continue;
        if (is_noise(error))
            noise = noise ? noise : describe(*line, error + 2);
        else
            reason = reason ? reason : describe(*line, error + 2);
    }
    return reason ? g_steal_pointer(&reason) : g_steal_pointer(&noise);
}

/* The end of a file; NULL: there is none, or no right to read it. */
static char *
read_tail(const VgpuDoctor *self, const char *path)
{
    int fd = openat(vgpu_sysfs_root_fd(self->fs), path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    g_autofree char *text = g_malloc0(TAIL + 1);
    ssize_t len = size < 0 ? -1 : pread(fd, text, TAIL, MAX(size - TAIL, 0));

    if (fd >= 0)
        close(fd);
    return len > 0 ? g_utf8_make_valid(text, len) : NULL;
}

/* @from: an option that says from when on. Any user can write a line under any name, but only root as root. */
static char *
read_journal(const char *from)
{
    g_autoptr(GSubprocess) journalctl =
        g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL,
                         "journalctl", from, "-q", "--no-pager", "-n", LINES, "-t", NAME,
                         "_UID=0", NULL);
    g_autofree char *out = NULL;

    if (!journalctl || !g_subprocess_communicate_utf8(journalctl, NULL, NULL, &out, NULL, NULL))
        return NULL;
    return out && *out ? g_steal_pointer(&out) : NULL;
}

char *
vgpu_doctor_manager_said(gint64 since)
{
    g_autofree char *from = g_strdup_printf("--since=@%" G_GINT64_FORMAT, since);
    g_autofree char *log = read_journal(from);

    return log ? vgpu_doctor_manager_reason(log) : NULL;
}

/* "Examining NVIDIA vGPU Manager Messages" in NVIDIA's Virtual GPU Software User Guide. */
static void
check_log(VgpuDoctor *self)
{
    g_autofree char *log = self->is_host ? read_journal("-b") : NULL;
    g_autofree char *reason = NULL, *detail = NULL;

    if (!log)
        log = read_tail(self, "var/log/syslog");
    if (!log)
        log = read_tail(self, "var/log/messages");
    if (!log || !(reason = vgpu_doctor_manager_reason(log)))
        return;
    detail = g_strdup_printf("its last vGPU did not start: %s", reason);
    vgpu_doctor_row_add(self, NAME " log", VGPU_DOCTOR_WARN, detail,
                        "'journalctl -t " NAME "' shows the rest; NVIDIA's release notes list "
                        "known issues by such lines");
}

void
vgpu_doctor_manager(VgpuDoctor *self)
{
    if (!vgpu_sysfs_exists(self->fs, "sys/module/nvidia_vgpu_vfio"))
        return;
    check_runs(self);
    check_log(self);
}
