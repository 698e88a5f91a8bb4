// Metadata: typed getters, order, replacing and erasing.
#include <QTest>

#include <limits>

#include "core/io/metadata.h"

using namespace bitlens;
using namespace bitlens::io;

class TestIoMetadata : public QObject {
  Q_OBJECT

 private slots:
  void integersOfAnyTypeWhereTheyFit() {
    Metadata metadata;
    metadata.set("u8", std::uint8_t{200});
    metadata.set("i8", std::int8_t{100});
    metadata.set("u16", std::uint16_t{60000});
    metadata.set("i16", std::int16_t{30000});
    metadata.set("u32", std::uint32_t{4000000000});
    metadata.set("i32", std::int32_t{2000000000});
    metadata.set("u64", std::numeric_limits<std::uint64_t>::max());
    metadata.set("i64", std::numeric_limits<std::int64_t>::max());
    metadata.set("negative", std::int32_t{-1});
    metadata.set("float", 1.0F);
    metadata.set("bool", true);
    metadata.set("text", "12");
    QCOMPARE(metadata.get_uint("u8").value(), 200ULL);
    QCOMPARE(metadata.get_uint("i8").value(), 100ULL);
    QCOMPARE(metadata.get_uint("u16").value(), 60000ULL);
    QCOMPARE(metadata.get_uint("i16").value(), 30000ULL);
    QCOMPARE(metadata.get_uint("u32").value(), 4000000000ULL);
    QCOMPARE(metadata.get_uint("i32").value(), 2000000000ULL);
    QCOMPARE(metadata.get_uint("u64").value(), std::numeric_limits<std::uint64_t>::max());
    QCOMPARE(metadata.get_uint("i64").value(), 9223372036854775807ULL);
    QCOMPARE(QString::fromStdString(metadata.get_uint("negative").error().describe()),
             "negative: is -1, must not be negative");
    QCOMPARE(QString::fromStdString(metadata.get_uint("float").error().describe()),
             "float: has type float32, expected an integer");
    QVERIFY(metadata.get_uint("bool").error().code == ErrorCode::BadFile);
    QVERIFY(metadata.get_uint("text").error().code == ErrorCode::BadFile);
    QVERIFY(metadata.get_uint("absent").error().code == ErrorCode::NotFound);
    QVERIFY(QString::fromStdString(metadata.get_uint("absent").error().describe())
                .contains("key absent is missing"));
  }

  void otherTypesExactly() {
    Metadata metadata;
    metadata.set("f32", 0.5F);
    metadata.set("f64", 0.1);
    metadata.set("bool", false);
    metadata.set("text", "t");
    metadata.set("ints", MetadataArray(std::vector<std::int32_t>{1, 2}));
    metadata.set("bools", MetadataArray(BoolArray{{1}}));
    QCOMPARE(metadata.get_float("f32").value(), 0.5);
    QCOMPARE(metadata.get_float("f64").value(), 0.1);
    QVERIFY(!metadata.get_float("bool"));
    QCOMPARE(metadata.get_bool("bool").value(), false);
    QVERIFY(!metadata.get_bool("f32"));
    QCOMPARE(metadata.get_string("text").value(), std::string("t"));
    QVERIFY(!metadata.get_string("ints"));
    const auto ints = metadata.get_array<std::int32_t>("ints");
    QVERIFY(ints.has_value());
    QCOMPARE(**ints, (std::vector<std::int32_t>{1, 2}));
    // Same size, other type: reading it as the wanted type would be reading garbage.
    QCOMPARE(QString::fromStdString(metadata.get_array<float>("ints").error().describe()),
             "ints: has type array of int32, expected array of float32");
    QVERIFY(!metadata.get_array<std::uint8_t>("bools"));
    QVERIFY(!metadata.get_array<std::string>("text"));
    QVERIFY(metadata.get_array<std::string>("absent").error().code == ErrorCode::NotFound);
  }

  void keepsOrderWhenChanged() {
    Metadata metadata;
    for (int i = 0; i < 1000; ++i) metadata.set("key." + std::to_string(i), std::int32_t{i});
    metadata.set("key.10", "replaced");
    metadata.erase("key.11");
    metadata.erase("not there");
    QCOMPARE(metadata.entries().size(), std::size_t{999});
    QCOMPARE(metadata.entries()[10].key, std::string("key.10"));
    QCOMPARE(metadata.get_string("key.10").value(), std::string("replaced"));
    QVERIFY(!metadata.has("key.11"));
    QCOMPARE(metadata.position("key.12"), std::optional<std::size_t>(11));
    Metadata copy = metadata;
    copy.set("new", 1U);
    QVERIFY(!metadata.has("new"));
    for (std::size_t i = 0; i < copy.entries().size(); ++i)
      QCOMPARE(copy.position(copy.entries()[i].key), std::optional(i));
  }

  void typesAndLengths() {
    QCOMPARE(type_of(MetadataValue(1.0)), MetadataType::F64);
    QCOMPARE(type_of(MetadataValue(MetadataArray(std::vector<float>(3)))), MetadataType::Array);
    QCOMPARE(element_type_of(MetadataArray(std::vector<std::uint64_t>())), MetadataType::U64);
    QCOMPARE(element_type_of(MetadataArray(BoolArray())), MetadataType::Bool);
    QCOMPARE(length_of(MetadataArray(std::vector<std::string>(5))), std::size_t{5});
    QCOMPARE(length_of(MetadataArray(BoolArray{{1, 0}})), std::size_t{2});
  }
};

QTEST_APPLESS_MAIN(TestIoMetadata)
#include "tst_io_metadata.moc"
