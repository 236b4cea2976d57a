/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Durable files, written by a separate thread. The test plays the disk: a write waits for it, or fails. */
#include "test.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/writer.h"
#include "scratch.h"

#define PATIENCE_MS 10000

/* The behaviour of the disk. */
static struct {
    GMutex lock;
    GCond cond;
    bool closed;   /* nothing gets through until it is open */
    guint passes;  /* but so many */
    bool full;     /* every write fails */
    guint waiting; /* for it to open */
    GString *log;  /* "NAME=CONTENT " of each write that was tried, "NAME- " of each removal */
} disk;

static bool
pass(const char *path, const char *data, gsize len, GError **error)
{
    const char *name = strrchr(path, '/') + 1;
    bool full;

    g_mutex_lock(&disk.lock);
    if (data)
        g_string_append_printf(disk.log, "%s=%.*s ", name, (int) len, data);
    else
        g_string_append_printf(disk.log, "%s- ", name);
    disk.waiting++;
    g_cond_broadcast(&disk.cond);
    while (disk.closed && !disk.passes)
        g_cond_wait(&disk.cond, &disk.lock);
    disk.passes -= disk.passes > 0;
    disk.waiting--;
    full = disk.full;
    g_mutex_unlock(&disk.lock);
    if (full)
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_FAILED, "the disk is full");
    return !full;
}

bool __real_vgpu_fs_replace(const char *path, const char *data, gsize len, GError **error);
bool __wrap_vgpu_fs_replace(const char *path, const char *data, gsize len, GError **error);
bool __real_vgpu_fs_remove(const char *path, GError **error);
bool __wrap_vgpu_fs_remove(const char *path, GError **error);

bool
__wrap_vgpu_fs_replace(const char *path, const char *data, gsize len, GError **error)
{
    return pass(path, data, len, error) && __real_vgpu_fs_replace(path, data, len, error);
}

bool
__wrap_vgpu_fs_remove(const char *path, GError **error)
{
    return pass(path, NULL, 0, error) && __real_vgpu_fs_remove(path, error);
}

static void
set_disk(bool closed, bool full)
{
    g_mutex_lock(&disk.lock);
    disk.closed = closed;
    disk.full = full;
    g_cond_broadcast(&disk.cond);
    g_mutex_unlock(&disk.lock);
}

/* Until the writer is in a write. */
static void
await_write(void)
{
    g_mutex_lock(&disk.lock);
    while (!disk.waiting)
        g_cond_wait(&disk.cond, &disk.lock);
    g_mutex_unlock(&disk.lock);
}

/* --- each test has these -------------------------------------------------------------------- */

typedef struct {
    Scratch scratch;
    VgpuWriter *writer;
} Fixture;

static guint warnings;

static GLogWriterOutput
note(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
    (void) fields;
    (void) n;
    (void) data;
    if (level == G_LOG_LEVEL_WARNING)
        g_atomic_int_inc((gint *) &warnings);
    return G_LOG_WRITER_HANDLED;
}

static int
setup(void **state)
{
    Fixture *self = g_new0(Fixture, 1);

    self->scratch = scratch_new();
    self->writer = vgpu_writer_new();
    disk.log = g_string_new(NULL);
    set_disk(false, false);
    warnings = 0;
    *state = self;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *self = *state;

    set_disk(false, false);
    vgpu_writer_free(self->writer);
    scratch_clear(&self->scratch);
    g_string_free(disk.log, TRUE);
    g_free(self);
    return 0;
}

static void
put(const Fixture *self, const char *name, const char *data)
{
    g_autofree char *path = scratch_path(&self->scratch, name);

    vgpu_writer_put(self->writer, path, data, data ? strlen(data) : 0);
}

/* The code of the error, -1: none. */
static int
wait_ms(const Fixture *self, const char *name, guint ms)
{
    g_autofree char *path = scratch_path(&self->scratch, name);
    g_autoptr(GError) error = NULL;

    if (vgpu_writer_wait(self->writer, path, ms, &error)) {
        assert_null(error);
        return -1;
    }
    assert_true(error->domain == VGPU_ERROR);
    assert_non_null(strstr(error->message, path));
    return error->code;
}

static int
wait_for(const Fixture *self, const char *name)
{
    return wait_ms(self, name, PATIENCE_MS);
}

static void
check(const Fixture *self, const char *name, const char *expected)
{
    g_autofree char *text = scratch_read(&self->scratch, name);

    if (g_strcmp0(text, expected) != 0)
        fail_msg("%s has '%s' and not '%s'", name, text ? text : "(none)", expected);
}

/* --- tests ---------------------------------------------------------------------------------- */

static void
test_written(void **state)
{
    const Fixture *self = *state;

    assert_int_equal(wait_for(self, "a"), -1); /* nothing was asked for */
    put(self, "a", "one");
    assert_int_equal(wait_for(self, "a"), -1);
    check(self, "a", "one");
    put(self, "a", "");
    assert_int_equal(wait_for(self, "a"), -1);
    check(self, "a", "");
    put(self, "a", NULL);
    assert_int_equal(wait_for(self, "a"), -1);
    check(self, "a", NULL);
    assert_string_equal(disk.log->str, "a=one a= a- ");
}

/* While the disk blocks the first write, callers do not wait; then only the newest content of each file is written, in
 * order. */
static void
test_newest_in_order(void **state)
{
    const Fixture *self = *state;

    set_disk(true, false);
    put(self, "a", "1");
    await_write();
    put(self, "b", "1");
    put(self, "c", "1");
    put(self, "a", "2");
    put(self, "b", "2");
    put(self, "c", NULL);
    put(self, "a", "3");
    assert_int_equal(wait_ms(self, "b", 10), VGPU_ERROR_BUSY);
    set_disk(false, false);
    assert_int_equal(wait_for(self, "a"), -1);
    assert_int_equal(wait_for(self, "c"), -1);
    check(self, "a", "3");
    check(self, "b", "2");
    check(self, "c", NULL);
    assert_string_equal(disk.log->str, "a=1 b=2 c- a=3 ");
    assert_int_equal(warnings, 0);
}

static void
test_failure(void **state)
{
    const Fixture *self = *state;

    set_disk(true, true);
    put(self, "a", "1");
    await_write();
    set_disk(false, true);
    assert_int_equal(wait_for(self, "a"), VGPU_ERROR_FAILED);
    check(self, "a", NULL);
    assert_int_equal(wait_for(self, "a"), VGPU_ERROR_FAILED); /* and fails again */
    set_disk(false, false);
    assert_int_equal(wait_for(self, "a"), -1); /* not only when its time has come */
    check(self, "a", "1");
    assert_int_equal(wait_for(self, "a"), -1);
}

/* New content after a failed write is tried at once, and is on the disk in the end. */
static void
test_taken_back(void **state)
{
    const Fixture *self = *state;

    set_disk(false, true);
    put(self, "a", "1");
    assert_int_equal(wait_for(self, "a"), VGPU_ERROR_FAILED);
    put(self, "b", "1");
    assert_int_equal(wait_for(self, "b"), VGPU_ERROR_FAILED);
    set_disk(false, false);
    put(self, "a", NULL);
    assert_int_equal(wait_for(self, "a"), -1);
    check(self, "a", NULL);
}

static gpointer
wait_in_thread(gpointer data)
{
    return GINT_TO_POINTER(wait_for(data, "a") + 1);
}

/* The failure of older content is not reported for newer content. */
static void
test_older_failure(void **state)
{
    Fixture *self = *state;
    GThread *thread;

    set_disk(true, true);
    put(self, "a", "1");
    await_write();
    put(self, "a", "2");
    thread = g_thread_new("waits", wait_in_thread, self);
    g_usleep(20000); /* most likely it waits by now; if not, the test holds as well */
    g_mutex_lock(&disk.lock);
    disk.passes = 1;
    g_cond_broadcast(&disk.cond);
    while (!strstr(disk.log->str, "a=2")) /* the first one has failed */
        g_cond_wait(&disk.cond, &disk.lock);
    g_mutex_unlock(&disk.lock);
    set_disk(false, false);
    assert_int_equal(GPOINTER_TO_INT(g_thread_join(thread)), 0);
    check(self, "a", "2");
}

/* A failed write that no caller waits for is retried, and reported once. */
static void
test_retry(void **state)
{
    const Fixture *self = *state;
    g_autofree char *path = scratch_path(&self->scratch, "a");

    set_disk(false, true);
    put(self, "a", "1");
    g_mutex_lock(&disk.lock);
    while (!strstr(disk.log->str, "a=1 a=1"))
        g_cond_wait(&disk.cond, &disk.lock);
    disk.full = false;
    g_mutex_unlock(&disk.lock);
    for (guint i = 0; i < PATIENCE_MS && !g_file_test(path, G_FILE_TEST_EXISTS); i++)
        g_usleep(1000);
    check(self, "a", "1");
    assert_int_equal(warnings, 1);
}

/* --- the end -------------------------------------------------------------------------------- */

static void
test_stop(void **state)
{
    const Fixture *self = *state;

    set_disk(true, false);
    put(self, "a", "1");
    await_write();
    put(self, "b", "1");
    assert_false(vgpu_writer_stop(self->writer, 10));
    assert_int_equal(warnings, 1);
    put(self, "b", "2"); /* is no longer taken */
    set_disk(false, false);
    assert_true(vgpu_writer_stop(self->writer, PATIENCE_MS));
    check(self, "a", "1");
    check(self, "b", "1");
}

static void
test_stop_with_failure(void **state)
{
    const Fixture *self = *state;

    set_disk(false, true);
    put(self, "a", "1");
    assert_int_equal(wait_for(self, "a"), VGPU_ERROR_FAILED);
    assert_false(vgpu_writer_stop(self->writer, PATIENCE_MS)); /* does not go on for ever */
}

static void
test_never_used(void **state)
{
    const Fixture *self = *state;

    assert_true(vgpu_writer_stop(self->writer, 0));
    vgpu_writer_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_written, setup, teardown),
        cmocka_unit_test_setup_teardown(test_newest_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failure, setup, teardown),
        cmocka_unit_test_setup_teardown(test_taken_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_older_failure, setup, teardown),
        cmocka_unit_test_setup_teardown(test_retry, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop_with_failure, setup, teardown),
        cmocka_unit_test_setup_teardown(test_never_used, setup, teardown),
    };

    g_log_set_writer_func(note, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
