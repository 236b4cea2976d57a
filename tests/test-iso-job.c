/* The image of a pool: what is made of its definition, and what its program says. */
#include "test.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "daemon/iso-job.h"
#include "scratch.h"

#define POOL(rest)                                                                               \
    "<vgpupool><name>design</name><source><gpu address='0000:41:00.0'/></source>" rest           \
    "</vgpupool>"

static VgpuIsoJob *
job_of(const char *xml)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuPool) pool = vgpu_pool_parse(xml, strlen(xml), "test", &error);

    if (!pool)
        fail_msg("%s", error->message);
    return vgpu_iso_job_new(pool);
}

static void
test_nothing_to_build(void **state)
{
    (void) state;
    assert_null(job_of(POOL("")));
    assert_null(job_of(POOL("<driverISO path='/x/grid.iso'/>")));
}

static void
test_definition(void **state)
{
    g_autoptr(VgpuIsoJob) job =
        job_of(POOL("<profiles><profile name='NVIDIA A2-4Q'/></profiles>"
                    "<driverISO path='/x/grid.iso'><bundle path='/x/a'/><bundle path='/x/b'/>"
                    "<gridd key='ServerPort' value='7070'/></driverISO>"));

    (void) state;
    assert_string_equal(job->pool, "design");
    assert_string_equal(job->output, "/x/grid.iso");
    assert_int_equal(g_strv_length(job->paths), 2);
    assert_string_equal(job->paths[1], "/x/b");
    assert_int_equal(g_strv_length(job->gridd), 1);
    assert_string_equal(job->gridd[0], "ServerPort=7070");
    assert_string_equal(job->profile, "NVIDIA A2-4Q");
    assert_null(job->token);
}

static void
test_build(void **state)
{
    g_autofree char *program = g_build_filename(g_getenv("builddir"), "virt-vgpu-iso", NULL);
    g_auto(Scratch) dir = scratch_new();
    g_autofree char *path = scratch_path(&dir, "grid.iso");
    g_autofree char *driver = scratch_path(&dir, "driver.run");
    const char *paths[] = { driver, NULL };
    const char *good[] = { "FeatureType=2", NULL }, *bad[] = { "FeatureType=4", NULL };
    VgpuIsoJob job = { .pool = (char *) "design",
                       .output = path,
                       .paths = (char **) paths,
                       .gridd = (char **) good,
                       .profile = (char *) "NVIDIA A2-4Q" };
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) lines = NULL;
    g_autofree char *begin = g_strdup_printf("driver image built: %s: 6 files, ", path);
    struct stat st;
    mode_t mask = umask(0077);

    (void) state;
    assert_null(vgpu_iso_job_refresh(&job, program, &error));
    assert_non_null(strstr(error->message, "driver.run: No such file"));
    assert_int_equal(error->code, VGPU_ERROR_FAILED);
    assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_clear_error(&error);

    scratch_write(&dir, "driver.run", "content");
    lines = vgpu_iso_job_refresh(&job, program, &error);
    umask(mask);
    if (!lines)
        fail_msg("%s", error->message);
    assert_int_equal(g_strv_length(lines), 1);
    if (!g_str_has_prefix(lines[0], begin))
        fail_msg("%s", lines[0]);
    assert_int_equal(g_stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644); /* QEMU's user reads it */

    job.gridd = (char **) bad;
    assert_null(vgpu_iso_job_refresh(&job, program, &error));
    assert_non_null(strstr(error->message, "FeatureType of 'NVIDIA A2-4Q'"));
    assert_int_equal(error->code, VGPU_ERROR_BAD_REQUEST);
    g_clear_error(&error);

    job.gridd = (char **) good;
    job.token = driver;
    assert_null(vgpu_iso_job_refresh(&job, program, &error));
    assert_non_null(strstr(error->message, "under the name it came with"));
    assert_int_equal(error->code, VGPU_ERROR_BAD_REQUEST);
    g_clear_error(&error);

    assert_null(vgpu_iso_job_refresh(&job, "/nothing/there", &error));
    assert_int_equal(error->code, VGPU_ERROR_NOT_SUPPORTED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_to_build),
        cmocka_unit_test(test_definition),
        cmocka_unit_test(test_build),
    };

    return cmocka_run_group_tests_name("iso-job", tests, NULL, NULL);
}
