#!/bin/bash
# First process of the guest: starts D-Bus and the real bluetoothd, runs the session, switches off.
# Expects ROOT (unpacked packages), PYTHON and REPOSITORY in its environment.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
libraries=$ROOT/usr/lib/x86_64-linux-gnu:$ROOT/lib/x86_64-linux-gnu
mkdir -p /dev/shm && mount -t tmpfs shm /dev/shm
"$ROOT/bin/busybox" ip link set lo up
mkdir -p /var/lib/bluetooth /etc/bluetooth
dbus-daemon --session --nofork --print-address=1 >/run/address 2>/run/dbus.log &
for _ in $(seq 100); do [ -s /run/address ] && break; sleep 0.1; done
DBUS_SYSTEM_BUS_ADDRESS=$(head -1 /run/address)
export DBUS_SYSTEM_BUS_ADDRESS
# bleak asks bluetoothctl for the version of BlueZ.
printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s/usr/bin/bluetoothctl "$@"\n' "$libraries" "$ROOT" \
    >/usr/bin/bluetoothctl
chmod +x /usr/bin/bluetoothctl
LD_LIBRARY_PATH=$libraries "$ROOT/usr/libexec/bluetooth/bluetoothd" --nodetach >/run/bluetoothd.log 2>&1 &
# Pairing asks an agent, which a desktop has; this one agrees to "just works".
sleep 1000 | bluetoothctl --agent=NoInputNoOutput >/run/agent.log 2>&1 &
echo "guest: kernel $(uname -r), bluetoothd $(LD_LIBRARY_PATH=$libraries "$ROOT/usr/libexec/bluetooth/bluetoothd" --version)"
cd "$REPOSITORY" || exit
PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 timeout 300 "$PYTHON" -m tests.bluez.vm.session 2>&1
status=$?
[ "$status" = 0 ] || { dmesg | grep -a Bluetooth; tail -n 20 /run/bluetoothd.log; }
echo "guest: session ended with status $status"
echo o >/proc/sysrq-trigger
sleep 10
