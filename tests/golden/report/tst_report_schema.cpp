// The layout of a report: every group, dataset, type, axis and attribute, against the list kept beside this
// test (schema.txt). A change of the list is a change of the promise in docs/report.md.
#include <hdf5.h>
#include <hdf5_hl.h>

#include <QtTest>

#include "../../unit/report/sample_report.h"

using namespace bitlens;

namespace {

QString type_name(hid_t type) {
  if (H5Tis_variable_str(type) > 0) return H5Tget_cset(type) == H5T_CSET_UTF8 ? "text" : "text, not UTF-8";
  const auto bits = 8 * static_cast<int>(H5Tget_size(type));
  if (H5Tget_class(type) == H5T_FLOAT) return QString("f%1").arg(bits);
  if (H5Tget_class(type) == H5T_INTEGER)
    return QString(H5Tget_sign(type) == H5T_SGN_NONE ? "u%1" : "i%1").arg(bits);
  return "unexpected type";
}

/// Attributes in creation order, without those of the dimension scale machinery.
QStringList attributes(hid_t object) {
  QStringList names;
  H5Aiterate2(
      object, H5_INDEX_CRT_ORDER, H5_ITER_INC, nullptr,
      [](hid_t at, const char* name, const H5A_info_t*, void* target) -> herr_t {
        const QString text = name;
        if (text == "CLASS" || text == "NAME" || text == "REFERENCE_LIST" || text == "DIMENSION_LIST")
          return 0;
        const hid_t attribute = H5Aopen(at, name, H5P_DEFAULT);
        const hid_t type = H5Aget_type(attribute);
        *static_cast<QStringList*>(target) << text + ":" + type_name(type);
        H5Tclose(type);
        H5Aclose(attribute);
        return 0;
      },
      &names);
  return names;
}

QStringList axes(hid_t dataset) {
  if (H5DSis_scale(dataset) > 0) return {"its own axis"};
  const hid_t space = H5Dget_space(dataset);
  const int rank = H5Sget_simple_extent_ndims(space);
  H5Sclose(space);
  QStringList names;
  for (unsigned i = 0; i < static_cast<unsigned>(rank); ++i) {
    QString found = "NO SCALE";
    H5DSiterate_scales(
        dataset, i, nullptr,
        [](hid_t, unsigned, hid_t scale, void* target) -> herr_t {
          char name[200] = {};
          H5DSget_scale_name(scale, name, sizeof name);
          *static_cast<QString*>(target) = name;
          return 0;
        },
        &found);
    names << found;
  }
  return names;
}

QStringList layout_of(const QString& path) {
  const hid_t file = H5Fopen(qPrintable(path), H5F_ACC_RDONLY, H5P_DEFAULT);
  QStringList lines{"/ {" + attributes(file).join(", ") + "}"};
  H5Literate(
      file, H5_INDEX_CRT_ORDER, H5_ITER_INC, nullptr,
      [](hid_t at, const char* name, const H5L_info_t*, void* target) -> herr_t {
        auto& out = *static_cast<QStringList*>(target);
        const hid_t group = H5Gopen2(at, name, H5P_DEFAULT);
        out << QString("/%1 {%2}").arg(name, attributes(group).join(", "));
        H5Literate(
            group, H5_INDEX_CRT_ORDER, H5_ITER_INC, nullptr,
            [](hid_t in, const char* dataset_name, const H5L_info_t*, void* lines_of) -> herr_t {
              const hid_t dataset = H5Dopen2(in, dataset_name, H5P_DEFAULT);
              const hid_t type = H5Dget_type(dataset);
              *static_cast<QStringList*>(lines_of)
                  << QString("  %1: %2 [%3] {%4}")
                         .arg(dataset_name, type_name(type), axes(dataset).join(", "),
                              attributes(dataset).join(", "));
              H5Tclose(type);
              H5Dclose(dataset);
              return 0;
            },
            target);
        H5Gclose(group);
        return 0;
      },
      &lines);
  H5Fclose(file);
  return lines;
}

}  // namespace

class TestReportSchema : public QObject {
  Q_OBJECT

 private slots:
  void is_as_promised() {
    QTemporaryDir folder;
    const QString path = folder.filePath("report.h5");
    QVERIFY(report::write_hdf5(sample_report(), path.toStdString(), false).has_value());
    const QStringList found = layout_of(path);
    QFile golden(QStringLiteral(BITLENS_SOURCE_DIR "/tests/golden/report/schema.txt"));
    QVERIFY(golden.open(QIODevice::ReadOnly | QIODevice::Text));
    const QStringList expected = QString::fromUtf8(golden.readAll()).trimmed().split('\n');
    for (qsizetype i = 0; i < std::max(found.size(), expected.size()); ++i)
      if (found.value(i) != expected.value(i))
        QFAIL(qPrintable(QString("line %1\nfound:    %2\nexpected: %3")
                             .arg(i + 1)
                             .arg(found.value(i), expected.value(i))));
  }
};

QTEST_APPLESS_MAIN(TestReportSchema)
#include "tst_report_schema.moc"
