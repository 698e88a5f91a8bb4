<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
    <context>
        <name>bitlens::views::CompareModel</name>
        <message numerus="yes">
            <source>%n window(s) of %1 tokens, %2 scored</source>
            <translation>
                <numerusform>%n window of %1 tokens, %2 scored</numerusform>
                <numerusform>%n windows of %1 tokens, %2 scored</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::Document</name>
        <message numerus="yes">
            <source>Set %1 on %n tensor(s)</source>
            <translation>
                <numerusform>Set %1 on %n tensor</numerusform>
                <numerusform>Set %1 on %n tensors</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Reset %n tensor(s) to the file's precision</source>
            <translation>
                <numerusform>Reset %n tensor to the file's precision</numerusform>
                <numerusform>Reset %n tensors to the file's precision</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n tensor(s) cannot take %1 and stay as they are: %2</source>
            <translation>
                <numerusform>%n tensor cannot take %1 and stays as it is: %2</numerusform>
                <numerusform>%n tensors cannot take %1 and stay as they are: %2</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n tensor(s) cannot take the recipe's precision and got the nearest one that fits: %1</source>
            <translation>
                <numerusform>%n tensor cannot take the recipe's precision and got the nearest one that fits: %1</numerusform>
                <numerusform>%n tensors cannot take the recipe's precision and got the nearest one that fits: %1</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::Inspector</name>
        <message numerus="yes">
            <source>(%n selected)</source>
            <translation>
                <numerusform>(%n selected)</numerusform>
                <numerusform>(%n selected)</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%1: the %n value(s) of a typical block (largest |w| %2)</source>
            <translation>
                <numerusform>%1: the %n value of a typical block (largest |w| %2)</numerusform>
                <numerusform>%1: the %n values of a typical block (largest |w| %2)</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::JobsBar</name>
        <message numerus="yes">
            <source>%n more waiting</source>
            <translation>
                <numerusform>%n more waiting</numerusform>
                <numerusform>%n more waiting</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::MeasurePanel</name>
        <message numerus="yes">
            <source>%n window(s) of %1</source>
            <translation>
                <numerusform>%n window of %1</numerusform>
                <numerusform>%n windows of %1</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::ModelTree</name>
        <message numerus="yes">
            <source>%n layer(s)</source>
            <translation>
                <numerusform>%n layer</numerusform>
                <numerusform>%n layers</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::ReportDialog</name>
        <message numerus="yes">
            <source>An HDF5 file with the model's tensors, the recipe, sizes, statistics, histograms and every measured row (%n), each with its units and where it comes from. Opens in h5py and xarray.</source>
            <translation>
                <numerusform>An HDF5 file with the model's tensors, the recipe, sizes, statistics, histograms and every measured row (%n), each with its units and where it comes from. Opens in h5py and xarray.</numerusform>
                <numerusform>An HDF5 file with the model's tensors, the recipe, sizes, statistics, histograms and every measured row (%n), each with its units and where it comes from. Opens in h5py and xarray.</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::SizeStrip</name>
        <message numerus="yes">
            <source>%1, %n window(s) of %2 tokens of %3</source>
            <translation>
                <numerusform>%1, %n window of %2 tokens of %3</numerusform>
                <numerusform>%1, %n windows of %2 tokens of %3</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::Units</name>
        <message numerus="yes">
            <source>%n byte(s)</source>
            <translation>
                <numerusform>%n byte</numerusform>
                <numerusform>%n bytes</numerusform>
            </translation>
        </message>
    </context>
</TS>
