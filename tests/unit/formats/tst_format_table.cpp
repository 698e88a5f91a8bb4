// The table of formats.
#include <QtTest>
#include <set>

#include "kernels/formats/format.h"

using namespace bitlens::kernels;

class TestFormatTable : public QObject {
  Q_OBJECT

 private slots:
  void ids_ascend_and_are_found() {
    std::uint32_t previous = 0;
    bool first = true;
    for (const FormatInfo& entry : all_formats()) {
      const auto id = static_cast<std::uint32_t>(entry.format);
      QVERIFY(first || id > previous);
      first = false;
      previous = id;
      QCOMPARE(find_format(id), &entry);
      QCOMPARE(&info(entry.format), &entry);
      QVERIFY(entry.block_size > 0 && entry.block_bytes > 0);
      QVERIFY(!entry.encodes || entry.decodes);
    }
    QCOMPARE(all_formats().size(), std::size_t{35});
  }

  void names_are_found_in_any_case() {
    std::set<std::string_view> names;
    for (const FormatInfo& entry : all_formats()) {
      QCOMPARE(find_format(entry.name), &entry);
      QCOMPARE(find_format(QByteArray(entry.name.data(), static_cast<qsizetype>(entry.name.size()))
                               .toLower()
                               .toStdString()),
               &entry);
      QVERIFY(names.insert(entry.name).second);
    }
    QVERIFY(find_format("q4_") == nullptr);
    QVERIFY(find_format("") == nullptr);
    QVERIFY(find_format("Q4_0 ") == nullptr);
  }

  void removed_and_unknown_ids_name_no_format() {
    for (const std::uint32_t id : {4U, 5U, 31U, 32U, 33U, 36U, 37U, 38U}) {
      QVERIFY(find_format(id) == nullptr);
      QVERIFY(!removed_format_name(id).empty());
    }
    for (const std::uint32_t id : {43U, 1000U, 0xFFFFFFFFU}) {
      QVERIFY(find_format(id) == nullptr);
      QVERIFY(removed_format_name(id).empty());
    }
    QVERIFY(removed_format_name(2).empty());
  }

  void bits_per_weight() {
    QCOMPARE(info(Format::Q4_0).bits_per_weight(), 4.5);
    QCOMPARE(info(Format::Q8_0).bits_per_weight(), 8.5);
    QCOMPARE(info(Format::Q6_K).bits_per_weight(), 6.5625);
    QCOMPARE(info(Format::IQ4_XS).bits_per_weight(), 4.25);
    QCOMPARE(info(Format::TQ1_0).bits_per_weight(), 1.6875);
    QCOMPARE(info(Format::NVFP4).bits_per_weight(), 4.5);
    QCOMPARE(info(Format::F16).bits_per_weight(), 16.0);
  }
};

QTEST_APPLESS_MAIN(TestFormatTable)
#include "tst_format_table.moc"
