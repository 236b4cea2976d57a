/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The call of ssh that reaches the host of a URI of libvirt's. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "cli/ssh-uri.h"

#define SSH "ssh -T -e none "

/* @words joined by blanks, or the error. */
static const struct {
    const char *what;
    const char *uri;
    const char *words;
    VgpuError code;
    const char *error;
} cases[] = {
    { "a host", "qemu+ssh://host2/system", SSH "-- host2 COMMAND" },
    { "a user and a port", "qemu+ssh://root@host2:2222/system",
      SSH "-p 2222 -l root -- host2 COMMAND" },
    { "libssh", "qemu+libssh://root@host2/system", SSH "-l root -- host2 COMMAND" },
    { "libssh2", "qemu+libssh2://host2/system", SSH "-- host2 COMMAND" },
    { "an IPv6 address", "qemu+ssh://[fd00::2]/system", SSH "-- fd00::2 COMMAND" },
    { "a user of a directory", "qemu+ssh://jane%40example.org@host2/system",
      SSH "-l jane@example.org -- host2 COMMAND" },
    { "a key", "qemu+ssh://host2/system?keyfile=/root/a%20key",
      SSH "-i /root/a key -- host2 COMMAND" },
    { "an & in a path", "qemu+ssh://host2/system?keyfile=/root/a%26no_tty=1",
      SSH "-i /root/a&no_tty=1 -- host2 COMMAND" },
    { "no questions", "qemu+ssh://host2/system?no_verify=1&no_tty=1",
      SSH "-o StrictHostKeyChecking=no -o BatchMode=yes -- host2 COMMAND" },
    { "a semicolon", "qemu+ssh://host2/system?no_verify=1;no_tty=1",
      SSH "-o StrictHostKeyChecking=no -o BatchMode=yes -- host2 COMMAND" },
    { "turned off", "qemu+ssh://host2/system?no_verify=0&no_tty=0", SSH "-- host2 COMMAND" },
    { "in capitals", "qemu+ssh://host2/system?No_TTY=1",
      SSH "-o BatchMode=yes -- host2 COMMAND" },
    { "another ssh", "qemu+ssh://host2/system?command=/opt/ssh&no_tty=1",
      "/opt/ssh -T -e none -o BatchMode=yes -- host2 COMMAND" },
    { "known hosts", "qemu+libssh://host2/system?known_hosts=/etc/known&known_hosts_verify=auto",
      SSH
      "-o UserKnownHostsFile=/etc/known -o StrictHostKeyChecking=accept-new -- host2 COMMAND" },
    { "all hosts", "qemu+libssh://host2/system?known_hosts_verify=ignore",
      SSH "-o StrictHostKeyChecking=no -- host2 COMMAND" },
    { "the usual hosts", "qemu+libssh://host2/system?known_hosts_verify=normal",
      SSH "-- host2 COMMAND" },
    { "what only libvirt needs", "qemu+ssh://host2/system?mode=direct&netcat=nc&proxy=netcat",
      SSH "-- host2 COMMAND" },
    { "its usual name", "qemu+ssh://host2/system?name=qemu:///system", SSH "-- host2 COMMAND" },

    { "TLS", "qemu://host2/system", NULL, VGPU_ERROR_NOT_SUPPORTED, "through 'tls'" },
    { "TLS by name", "qemu+tls://host2/system", NULL, VGPU_ERROR_NOT_SUPPORTED, "'tls'" },
    { "TCP", "qemu+tcp://host2/system", NULL, VGPU_ERROR_NOT_SUPPORTED, "'tcp'" },
    { "a socket", "qemu+unix://host2/system", NULL, VGPU_ERROR_NOT_SUPPORTED, "'unix'" },
    { "a program", "qemu+ext://host2/system?command=x", NULL, VGPU_ERROR_NOT_SUPPORTED, "'ext'" },

    { "an option as host", "qemu+ssh://-oProxyCommand=id/system", NULL, VGPU_ERROR_ARGUMENT,
      "not a name" },
    { "an option as user", "qemu+ssh://-oProxyCommand=id@host2/system", NULL, VGPU_ERROR_ARGUMENT,
      "not a name" },
    { "a command as host", "qemu+ssh://a%60id%60/system", NULL, VGPU_ERROR_ARGUMENT,
      "not a name" },
    { "a command as user", "qemu+ssh://a$(id)@host2/system", NULL, VGPU_ERROR_ARGUMENT,
      "not a name" },
    { "a line as host", "qemu+ssh://a%0Ab/system", NULL, VGPU_ERROR_ARGUMENT, "not a name" },
    { "an empty user", "qemu+ssh://@host2/system", NULL, VGPU_ERROR_ARGUMENT, "not a name" },
    { "a password", "qemu+ssh://root:secret@host2/system", NULL, VGPU_ERROR_ARGUMENT,
      "password" },
    { "no host", "qemu+ssh:///system", NULL, VGPU_ERROR_ARGUMENT, "names no host" },
    { "this host", "qemu:///system", NULL, VGPU_ERROR_ARGUMENT, "names no host" },
    { "a user's session", "qemu+ssh://host2/session", NULL, VGPU_ERROR_ARGUMENT,
      "only qemu:///system has vGPUs" },
    { "no path", "qemu+ssh://host2", NULL, VGPU_ERROR_ARGUMENT, "only qemu:///system has vGPUs" },
    { "another driver", "xen+ssh://host2/system", NULL, VGPU_ERROR_ARGUMENT,
      "only qemu:///system has vGPUs" },
    { "nearly QEMU", "qemux+ssh://host2/system", NULL, VGPU_ERROR_ARGUMENT,
      "only qemu:///system has vGPUs" },
    { "part of QEMU", "qem+ssh://host2/system", NULL, VGPU_ERROR_ARGUMENT,
      "only qemu:///system has vGPUs" },
    { "a name alone", "host2", NULL, VGPU_ERROR_ARGUMENT, "host2: " },
    { "another socket", "qemu+ssh://host2/system?socket=/run/other", NULL, VGPU_ERROR_ARGUMENT,
      "socket=" },
    { "another name", "qemu+ssh://host2/system?name=qemu:///session", NULL, VGPU_ERROR_ARGUMENT,
      "name=" },
    { "an unknown parameter", "qemu+ssh://host2/system?keyfil=/a", NULL, VGPU_ERROR_ARGUMENT,
      "unknown parameter 'keyfil'" },
    { "no value", "qemu+ssh://host2/system?keyfile", NULL, VGPU_ERROR_ARGUMENT, "" },
    { "two options in a path", "qemu+libssh://host2/system?known_hosts=/a%20/b", NULL,
      VGPU_ERROR_ARGUMENT, "known_hosts=" },
    { "an unknown check", "qemu+libssh://host2/system?known_hosts_verify=no", NULL,
      VGPU_ERROR_ARGUMENT, "known_hosts_verify=" },
};

static void
test_each(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(GStrv) words = vgpu_ssh_uri_words(cases[i].uri, "COMMAND", &error);
        g_autofree char *text = words ? g_strjoinv(" ", words) : NULL;

        if (g_strcmp0(text, cases[i].words) != 0)
            fail_msg("%s: '%s' (%s) instead of '%s'", cases[i].what, text ? text : "none",
                     error ? error->message : "no error", cases[i].words);
        if (!words && (!g_error_matches(error, VGPU_ERROR, (int) cases[i].code) ||
                       !strstr(error->message, cases[i].error)))
            fail_msg("%s: error %d, '%s'", cases[i].what, error->code, error->message);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_each) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
