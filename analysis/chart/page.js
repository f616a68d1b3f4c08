// What the page does with JavaScript: each figure that has a chart (a JSON block, see
// figure_chart.c) becomes a canvas of Chart.js, with a button back to the drawing.  Paper always
// gets the drawing.
(function () {
  'use strict';
  if (typeof Chart === 'undefined') return;

  Chart.defaults.font.size = 13;
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;

  var seen = function (name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  };
  var text = function (v) {
    return v === null || v === undefined ? '-' : String(+Number(v).toPrecision(6));
  };
  var named = function (axis, v) {
    var name = axis.names && axis.names[v];
    return axis.label + ' ' + (name !== undefined ? name : text(v)) + (axis.unit ? ' ' + axis.unit : '');
  };

  // Error bars, from lo and hi of each point.
  var whiskers = {
    id: 'whiskers',
    afterDatasetsDraw: function (chart) {
      var c = chart.ctx, area = chart.chartArea;
      chart.data.datasets.forEach(function (set, d) {
        if (!set.whiskers || !chart.isDatasetVisible(d)) return;
        c.save();
        c.beginPath();
        c.rect(area.left, area.top, area.right - area.left, area.bottom - area.top);
        c.clip();
        c.beginPath();
        c.strokeStyle = set.type === 'bar' ? seen('--ink') : set.borderColor;
        c.lineWidth = 1.4;
        chart.getDatasetMeta(d).data.forEach(function (element, i) {
          var p = set.data[i];
          if (p.hi === undefined || p.lo === undefined || p.hi === null) return;
          var hi = chart.scales.y.getPixelForValue(p.hi);
          var lo = p.lo === null || isNaN(chart.scales.y.getPixelForValue(p.lo)) ? area.bottom
            : chart.scales.y.getPixelForValue(p.lo);
          c.moveTo(element.x - 4, hi); c.lineTo(element.x + 4, hi);
          c.moveTo(element.x, hi); c.lineTo(element.x, lo);
          c.moveTo(element.x - 4, lo); c.lineTo(element.x + 4, lo);
        });
        c.stroke();
        c.restore();
      });
    }
  };

  // Names of points, where nothing else stands; the others are told under the pointer.
  var labels = {
    id: 'labels',
    afterDatasetsDraw: function (chart) {
      var c = chart.ctx, area = chart.chartArea, taken = [];
      c.save();
      c.font = '12px ' + Chart.defaults.font.family;
      c.fillStyle = seen('--text');
      chart.data.datasets.forEach(function (set, d) {
        if (!chart.isDatasetVisible(d) || set.data.length > 80) return;
        chart.getDatasetMeta(d).data.forEach(function (element, i) {
          var name = set.data[i].label;
          if (!name || isNaN(element.x) || isNaN(element.y)) return;
          var wide = c.measureText(name).width;
          [[6, -5], [-6 - wide, -5], [-6 - wide, 15], [6, 15]].some(function (at) {
            var x = element.x + at[0], y = element.y + at[1];
            var covered = taken.some(function (b) {
              return x < b[2] && b[0] < x + wide && y - 12 < b[3] && b[1] < y + 3;
            });
            if (covered || x < area.left || x + wide > area.right || y - 12 < area.top) return false;
            taken.push([x, y - 12, x + wide, y + 3]);
            c.fillText(name, x, y);
            return true;
          });
        });
      });
      c.restore();
    }
  };

  // The first line of a tooltip is the series; what follows are its numbers.
  function tooltip(da) {
    return {
      filter: function (item) { return !item.dataset.band; },
      callbacks: {
        title: function () { return ''; },
        label: function (item) {
          var p = item.raw, lines = [item.dataset.label + (p.label ? ', ' + p.label : '')];
          lines.push(named(da.x, p.x));
          lines.push(named(da.y, p.y) +
            (p.lo !== undefined && p.hi !== undefined ? ' (' + text(p.lo) + ' to ' + text(p.hi) + ')' : ''));
          return lines;
        }
      }
    };
  }

  function scale(options, axis) {
    options.offset = false; // a bar would widen its axis: the range holds room for it
    options.grid = { color: seen('--grid'), borderColor: seen('--axis'), offset: false };
    options.ticks = { color: seen('--text'), maxRotation: 50, autoSkipPadding: 12, includeBounds: false };
    options.title.color = seen('--text');
    if (axis.names) {
      options.afterBuildTicks = function (s) {
        s.ticks = axis.names.map(function (_, i) { return { value: i }; });
      };
      options.ticks.callback = function (v) { return axis.names[v]; };
      options.ticks.autoSkip = axis.names.length > 12;
    } else {
      options.ticks.callback = text;
    }
    if (options.type === 'logarithmic') { // 1, 2 and 5 of each decade; of many decades only 1
      options.afterBuildTicks = function (s) {
        var kept = Math.log10(s.max / s.min) > 2.5 ? [1] : [1, 2, 5];
        s.ticks = s.ticks.filter(function (t) {
          var m = t.value / Math.pow(10, Math.floor(Math.log10(t.value) + 1e-9));
          return kept.indexOf(+m.toPrecision(3)) >= 0;
        });
      };
    }
  }

  function draw(figure, canvas) {
    var config = JSON.parse(figure.querySelector('script').textContent), da = config.da;
    delete config.da;
    var o = config.options;
    scale(o.scales.x, da.x);
    scale(o.scales.y, da.y);
    o.animation = false;
    o.clip = 8; // points on the edge are whole
    o.maintainAspectRatio = false;
    o.interaction = { mode: 'nearest', intersect: false };
    o.plugins = {
      legend: {
        align: 'start',
        labels: {
          color: seen('--text'), usePointStyle: true, padding: 14, boxHeight: 9,
          filter: function (item, data) {
            var set = data.datasets[item.datasetIndex];
            item.pointStyle = set.type === 'line' ? 'line' : set.type === 'bar' ? 'rect' : set.pointStyle;
            if (set.type === 'line') item.lineWidth = 2.5;
            return !set.band && set.label !== '';
          }
        },
        // a band goes with its line: it stands before it
        onClick: function (e, item, legend) {
          var chart = legend.chart, i = item.datasetIndex, show = !chart.isDatasetVisible(i);
          do chart.setDatasetVisibility(i, show);
          while (--i >= 0 && chart.data.datasets[i].band);
          chart.update();
        }
      },
      tooltip: tooltip(da)
    };
    config.data.datasets.forEach(function (set) {
      if (seen('--blue') && set.borderColor === '#0072b2') set.borderColor = seen('--blue');
      if (seen('--blue') && set.backgroundColor === '#0072b2') set.backgroundColor = seen('--blue');
      if (set.borderColor === '#000000') set.borderColor = set.backgroundColor = seen('--ink');
      if (set.backgroundColor === '#ffffff') set.backgroundColor = seen('--paper');
      if (set.type === 'bar') set.borderColor = seen('--paper');
    });
    config.plugins = [whiskers, labels];
    return new Chart(canvas, config);
  }

  Array.prototype.forEach.call(document.querySelectorAll('figure[data-chart]'), function (figure) {
    var svg = figure.querySelector('svg'), box = document.createElement('div'), chart = null;
    var button = document.createElement('button');
    box.className = 'chart';
    box.hidden = true;
    svg.parentNode.insertBefore(box, svg);
    button.type = 'button';
    function show(interactive) {
      if (interactive) box.style.height = Math.max(280, svg.getBoundingClientRect().height) + 'px';
      box.hidden = !interactive;
      svg.style.display = interactive ? 'none' : '';
      button.textContent = interactive ? 'drawing' : 'interactive';
      if (interactive && chart === null) {
        var canvas = document.createElement('canvas');
        canvas.setAttribute('role', 'img');
        canvas.setAttribute('aria-label', figure.querySelector('h3').textContent);
        box.appendChild(canvas);
        chart = draw(figure, canvas);
      }
    }
    button.addEventListener('click', function () { show(box.hidden); });
    figure.querySelector('.tools').prepend(button);
    show(true);
  });
}());
