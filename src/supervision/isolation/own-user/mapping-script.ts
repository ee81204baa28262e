/**
 * A program of perl, which Node's lack of system calls makes necessary. Its arguments are the path of `unshare`, a number of a user,
 * places, `--`, and a command that it becomes. In its own mount namespace it mounts each place over itself such that what belongs to root
 * there belongs to that user for whoever looks through this mount (an idmapped mount; Linux 5.12). The first
 * place must succeed. The numbers of these system calls are the same on every architecture that Node runs on.
 */
export const mappingScript = String.raw`
use strict;
my ($open_tree, $move_mount, $mount_setattr) = (428, 429, 442);
my $unshare = shift @ARGV;
my $user = shift @ARGV;
my @places;
while (@ARGV and (my $next = shift @ARGV) ne '--') { push @places, $next }

# The mapping is that of a user namespace, which lives as long as a process in it or a descriptor of it.
pipe(my $said, my $saying) and pipe(my $heard, my $hearing) or die "pipe: $!\n";
my $holder = fork() // die "fork: $!\n";
if ($holder == 0) {
  open(STDIN, '<&', $heard); open(STDOUT, '>&', $saying);
  close $hearing; close $said;
  exec $unshare, '--user', '--', '/bin/sh', '-c', 'echo made; read -r word' or exit 1;
}
close $saying; close $heard;
defined(<$said>) or die "no user namespace can be made\n";
for my $kind ('uid', 'gid') {
  open(my $map, '>', "/proc/$holder/$kind" . '_map') or die "$kind map: $!\n";
  print $map "0 $user 1\n";
  close $map or die "$kind map: $!\n";
}
open(my $namespace, '<', "/proc/$holder/ns/user") or die "namespace: $!\n";
close $hearing; waitpid $holder, 0;

my $attributes = pack('QQQQ', 0x100000, 0, 0, fileno $namespace);
my $here = "\0";
my $first = 1;
for my $place (@places) {
  my $from = "$place\0";
  my $tree = syscall($open_tree, -100, $from, 0x1 | 0x80000 | 0x8000);
  my $done = $tree >= 0 && syscall($mount_setattr, $tree, $here, 0x1000 | 0x8000, $attributes, 32) == 0
    && syscall($move_mount, $tree, $here, -100, $from, 4) == 0;
  die "$place cannot be shown as that of another user: $!\n" if $first and not $done;
  $first = 0;
}
exec { $ARGV[0] } @ARGV or die "$ARGV[0]: $!\n";
`;
