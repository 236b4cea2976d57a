// SPDX-License-Identifier: LGPL-2.1-or-later

// What virtvgpud does, for programs in Go: an example with github.com/godbus/dbus/v5. virsh starts domains.
//
//	vgpus list             the vGPUs that there are, a line each
//	vgpus events [N]       what happens, as it happens; ends after N events
//	vgpus explain DOMAIN   whether the domain could start now, where its vGPUs would be, or why not
//	vgpus start DOMAIN     the same, and start it if it can; its exit status is 1 if it cannot
//
// The maps have the fields that `virt-vgpu --json` prints (see virt-vgpu(1)); what is unknown is left out.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"github.com/godbus/dbus/v5"
)

const (
	name = "org.virtvgpu.Manager1"
	path = dbus.ObjectPath("/org/virtvgpu/Manager1")
)

type fields = map[string]dbus.Variant

// text is the first of keys that is there, "-" when none is.
func text(of fields, keys ...string) string {
	for _, key := range keys {
		if value, ok := of[key].Value().(string); ok {
			return value
		}
	}
	return "-"
}

func connect() (*dbus.Conn, error) {
	if os.Getenv("VIRT_VGPU_BUS") == "session" {
		return dbus.ConnectSessionBus()
	}
	return dbus.ConnectSystemBus()
}

func call(bus *dbus.Conn, result interface{}, method string, arguments ...interface{}) error {
	return bus.Object(name, path).Call(name+"."+method, 0, arguments...).Store(result)
}

func list(bus *dbus.Conn) error {
	var vgpus []fields
	if err := call(bus, &vgpus, "ListVgpus", true); err != nil {
		return err
	}
	for _, vgpu := range vgpus {
		fmt.Printf("%s\t%s\t%s\t%s\n", text(vgpu, "domain"), text(vgpu, "profile", "profile_id"),
			text(vgpu, "parent", "gpu"), text(vgpu, "state"))
	}
	return nil
}

func events(bus *dbus.Conn, count int) error {
	err := bus.AddMatchSignal(dbus.WithMatchObjectPath(path), dbus.WithMatchInterface(name),
		dbus.WithMatchMember("Event"))
	if err != nil {
		return err
	}
	signals := make(chan *dbus.Signal, 64)
	bus.Signal(signals)
	for signal := range signals {
		var event fields
		if signal.Name != name+".Event" || dbus.Store(signal.Body, &event) != nil {
			continue
		}
		fmt.Printf("%s\t%s\t%s\n", text(event, "event"),
			text(event, "domain", "pool", "gpu", "uuid"), text(event, "reason"))
		if count--; count == 0 {
			break
		}
	}
	return nil
}

// explain says whether it can start; the daemon is given the definition and needs no libvirt for that.
func explain(bus *dbus.Conn, domain string) (bool, error) {
	xml, err := exec.Command("virsh", "dumpxml", "--inactive", domain).Output()
	if err != nil {
		return false, fmt.Errorf("virsh dumpxml %s: %w", domain, err)
	}
	var answer fields
	if err := call(bus, &answer, "Explain", string(xml)); err != nil {
		return false, err
	}
	vgpus, _ := answer["vgpus"].Value().([]fields)
	for _, vgpu := range vgpus {
		fmt.Printf("%s\t%s\t%s\n", text(vgpu, "profile"), text(vgpu, "parent"), text(vgpu, "state"))
	}
	if possible, _ := answer["possible"].Value().(bool); possible {
		return true, nil
	}
	fmt.Fprintln(os.Stderr, text(answer, "reason"))
	candidates, _ := answer["candidates"].Value().([]fields)
	for _, candidate := range candidates {
		fmt.Printf("%s\t%s\t%s\n", text(candidate, "gpu"), text(candidate, "verdict"),
			text(candidate, "reason"))
	}
	return false, nil
}

// run says whether it is done, or whether the answer is yes.
func run(bus *dbus.Conn, arguments []string) (bool, error) {
	switch {
	case len(arguments) == 1 && arguments[0] == "list":
		return true, list(bus)
	case len(arguments) == 1 && arguments[0] == "events":
		return true, events(bus, 0)
	case len(arguments) == 2 && arguments[0] == "events":
		count, err := strconv.Atoi(arguments[1])
		if err != nil {
			return false, err
		}
		return true, events(bus, count)
	case len(arguments) == 2 && arguments[0] == "explain":
		return explain(bus, arguments[1])
	case len(arguments) == 2 && arguments[0] == "start":
		possible, err := explain(bus, arguments[1])
		if err != nil || !possible {
			return false, err
		}
		virsh := exec.Command("virsh", "start", arguments[1])
		virsh.Stdout, virsh.Stderr = os.Stdout, os.Stderr
		return true, virsh.Run()
	}
	return false, fmt.Errorf("usage: vgpus list | events [N] | explain DOMAIN | start DOMAIN")
}

func main() {
	bus, err := connect()
	done := false
	if err == nil {
		defer bus.Close()
		done, err = run(bus, os.Args[1:])
	}
	if err != nil {
		// the Name of a dbus.Error, org.virtvgpu.Manager1.Error.NAME, tells what to do, see virtvgpud(8)
		fmt.Fprintln(os.Stderr, "vgpus:", err)
	}
	if err != nil || !done {
		os.Exit(1)
	}
}
