# The guide's commands as lab_test.py's hosts have them: read by bash before each of its blocks.
PATH=/opt:$PATH
apt-get() {
  local word name
  for word; do
    [[ $word =~ /slipstream-(.*)_\*\.deb$ ]] || continue
    name=${BASH_REMATCH[1]}; [[ $name != common ]] || name=cluster
    mkdir -p /etc/slipstream
    [[ -e /etc/slipstream/$name.env || ! -e /mnt/deploy/systemd/$name.env ]] ||
      sed 's|/usr/share/slipstream|/mnt|' /mnt/deploy/systemd/$name.env > /etc/slipstream/$name.env
  done
}
systemctl() {
  local word
  for word; do [[ $word != slipstream-* ]] || echo "$word" >> /var/lib/to-be-started; done
}
slipstream-doctor() { python3 /mnt/deploy/doctor/doctor.py "$@"; }
