#!/usr/bin/env node
// Old syntax on purpose: the oldest Node.js that somebody may have must be able to read this and say what to do.
'use strict';
var fs = require('fs');
var os = require('os');
var path = require('path');

var wantedMajor = 24;
var major = parseInt(process.versions.node, 10);

function complain(text) {
  process.stderr.write('elders: ' + text + '\n');
}

function reexecute(node) {
  var child = require('child_process').spawn(node, [__filename].concat(process.argv.slice(2)), {
    stdio: 'inherit',
    env: Object.assign({}, process.env, { ELDERS_NODE: '' }),
  });
  // The terminal signals both; what is sent to this process alone is passed on.
  ['SIGINT', 'SIGTERM', 'SIGHUP'].forEach(function (name) {
    process.on(name, function () {
      if (name !== 'SIGINT' || !process.stdin.isTTY) child.kill(name);
    });
  });
  child.on('error', function (error) {
    complain('ELDERS_NODE=' + node + ': ' + error.message);
    process.exit(1);
  });
  child.on('exit', function (code, signal) {
    process.exit(code === null ? 128 + (os.constants.signals[signal] || 0) : code);
  });
}

function useCompileCache() {
  // In the user's own cache folder: what stands in a shared temporary folder could be somebody else's code.
  var cache = process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache');
  try {
    require('module').enableCompileCache(path.join(cache, 'elders-tree'));
  } catch (_error) {
    // Slower, not wrong.
  }
}

if (major >= wantedMajor) {
  useCompileCache();
  var built = path.join(__dirname, '..', 'dist', 'cli', 'main.js');
  var source = path.join(__dirname, '..', 'src', 'cli', 'main.ts');
  // A checkout runs its sources, so that a stale build is never what one tests.
  import(require('url').pathToFileURL(fs.existsSync(source) ? source : built).href).catch(function (error) {
    complain(error.stack || String(error));
    process.exit(1);
  });
} else if (process.env.ELDERS_NODE) {
  reexecute(process.env.ELDERS_NODE);
} else {
  complain(
    'needs Node.js ' +
      wantedMajor +
      ' or newer; this is ' +
      process.versions.node +
      '. Install one, or name one with ELDERS_NODE=/path/to/node. / Node.js ' +
      wantedMajor +
      ' 以降が必要です（現在 ' +
      process.versions.node +
      '）。インストールするか、ELDERS_NODE=/path/to/node で指定してください。'
  );
  process.exit(1);
}
